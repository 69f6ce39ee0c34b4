// A merge worker thread: takes tiles from the shared counter, reads their sources straight into the shared memory,
// merges them and writes the result at its final place. Several tiles are in flight at once, so that reading and
// writing go on while the kernels compute.
import * as fs from 'node:fs';
import { promisify } from 'node:util';
import { parentPort, workerData } from 'node:worker_threads';
import { dtypes } from '../checkpoint/index.ts';
import { mergeTile } from './block.ts';
import { Kernels } from './kernels/index.ts';
import { type Tile, Tiles, workerMemory } from './memory.ts';
import { methodsByName } from './methods/index.ts';
import type { TensorTask } from './plan.ts';
import { counters, type WorkerJob, type WorkerMessage } from './protocol.ts';

const readAt = promisify(fs.read);
const writeAt = promisify(fs.write);

const job = workerData as WorkerJob;
const control = new Int32Array(job.control);
const memory = workerMemory(job.layout, job.worker);
const kernels = new Kernels(job.module, job.memory);
const tiles = new Tiles(job.tensors, job.layout.tileElements);

function post(message: WorkerMessage): void {
  parentPort?.postMessage(message);
}

function bytesAt(pointer: number, length: number): Uint8Array {
  return new Uint8Array(job.memory.buffer, pointer, length);
}

class TileFailure extends Error {
  readonly at: { readonly tensor: string; readonly input?: number };

  constructor(message: string, at: { tensor: string; input?: number }, cause?: unknown) {
    super(message, { cause });
    this.at = at;
  }
}

async function readSource(task: TensorTask, tile: Tile, index: number, pointer: number): Promise<void> {
  const source = task.sources[index];
  const input = source?.file;
  const fd = input === undefined ? undefined : job.inputs[input];
  if (source === undefined || input === undefined || fd === undefined)
    throw new Error('A tile has no source');
  const { bytes: width } = dtypes[source.dtype];
  const length = tile.count * width;
  const position = source.begin + tile.start * width;
  const target = bytesAt(pointer, length);
  for (let done = 0; done < length; ) {
    const { bytesRead } = await readAt(fd, target, done, length - done, position + done).catch((cause) => {
      throw new TileFailure('cannot be read', { tensor: task.name, input }, cause);
    });
    if (bytesRead === 0) {
      throw new TileFailure('has become shorter while it was merged', { tensor: task.name, input });
    }
    done += bytesRead;
  }
}

async function writeResult(task: TensorTask, tile: Tile, pointer: number): Promise<number> {
  const { shard, begin, dtype } = task.output;
  const fd = job.outputs[shard];
  if (fd === undefined) throw new Error('A tile has no shard');
  const { bytes: width } = dtypes[dtype];
  const length = tile.count * width;
  const position = begin + tile.start * width;
  const source = bytesAt(pointer, length);
  for (let done = 0; done < length; ) {
    const { bytesWritten } = await writeAt(fd, source, done, length - done, position + done).catch(
      (cause) => {
        throw new TileFailure('cannot be written', { tensor: task.name }, cause);
      },
    );
    done += bytesWritten;
  }
  return length;
}

/** Tensors without floating-point numbers must be the same everywhere; the first one is the result. */
function copySame(task: TensorTask, tile: Tile, sources: readonly number[]): number {
  const [first = 0, ...others] = sources;
  const width = dtypes[task.output.dtype].bytes;
  const length = tile.count * width;
  const expected = Buffer.from(job.memory.buffer, first, length);
  for (const [index, other] of others.slice(0, task.sources.length - 1).entries()) {
    if (expected.equals(bytesAt(other, length))) continue;
    const input = task.sources[index + 1]?.file;
    const message = 'holds integers that differ between the models, which cannot be merged';
    throw new TileFailure(message, { tensor: task.name, ...(input === undefined ? {} : { input }) });
  }
  return first;
}

async function runLane(lane: (typeof memory.lanes)[number]): Promise<void> {
  const method = methodsByName.get(job.method);
  if (method === undefined) throw new Error(`There is no method ${job.method}`);
  while (Atomics.load(control, counters.stop) === 0) {
    const number = Atomics.add(control, counters.nextTile, 1);
    if (number >= tiles.count) return;
    const tile = tiles.at(number);
    const task = job.tensors[tile.tensor];
    if (task === undefined) throw new Error('A tile has no tensor');
    await Promise.all(
      task.sources.map((_, index) => readSource(task, tile, index, lane.sources[index] ?? 0)),
    );
    let result = lane.result;
    if (task.kind === 'copy') result = copySame(task, tile, lane.sources);
    else mergeTile(kernels, job.profile, method, task, tile.count, lane, memory.blocks);
    const written = await writeResult(task, tile, result);
    const read = task.sources.reduce((sum, { dtype }) => sum + tile.count * dtypes[dtype].bytes, 0);
    post({ type: 'tile', read, written });
  }
}

const results = await Promise.allSettled(memory.lanes.map(runLane));
const failure = results.find((result) => result.status === 'rejected')?.reason;
if (failure instanceof TileFailure) {
  const cause = failure.cause instanceof Error ? (failure.cause as NodeJS.ErrnoException) : undefined;
  post({
    type: 'failed',
    message: failure.message,
    ...failure.at,
    ...(cause?.code ? { code: cause.code } : {}),
    ...(cause ? { details: cause.stack ?? cause.message } : {}),
  });
} else if (failure !== undefined) {
  throw failure;
} else {
  post({ type: 'done' });
}
