import { type FileHandle, open } from 'node:fs/promises';
import { Worker } from 'node:worker_threads';
import {
  cancelledError,
  entryUrl,
  fromSystemError,
  throwIfCancelled,
  UserError,
  type WorkOptions,
} from '../base/index.ts';
import { type OpenShard, writeShards } from '../checkpoint/index.ts';
import { loadKernelModule } from './kernels/index.ts';
import type { MemoryLayout } from './memory.ts';
import type { MergePlan } from './plan.ts';
import { counters, type WorkerJob, type WorkerMessage } from './protocol.ts';

/**
 * After so many written bytes the system is asked to put them on the disk while the merge goes on: the last fsync has
 * little left to do, and unwritten pages do not fill the memory.
 */
const flushBytes = 64e6;

/** How long workers may finish the tiles they are at, once the merge is stopped. */
const graceMilliseconds = 500;

export interface ExecuteOptions extends WorkOptions {
  readonly workers: number;
  readonly layout: MemoryLayout;
}

function tileError(
  plan: MergePlan,
  outputFolder: string,
  message: WorkerMessage & { type: 'failed' },
): UserError {
  const file = message.input === undefined ? outputFolder : plan.files[message.input];
  const place = { ...(file === undefined ? {} : { file }), field: message.tensor };
  const cause = Object.assign(new Error(message.details ?? message.message), { code: message.code });
  const system = fromSystemError(cause, `The tensor ${message.tensor} ${message.message}`, file);
  if (system instanceof UserError) return system;
  return new UserError(`The tensor ${message.tensor} ${message.message}`, {
    // Unreadable and unwritable files are the machine's; contents that do not fit are the input's.
    kind: message.details === undefined ? 'usage' : 'work',
    place,
    cause,
  });
}

/** Starts writing back what has been written, again and again, never twice at once. */
class BackgroundFlush {
  readonly #files: readonly OpenShard[];
  #unflushed = 0;
  #running: Promise<unknown> | undefined;
  #failure: unknown;

  constructor(files: readonly OpenShard[]) {
    this.#files = files;
  }

  add(bytes: number): void {
    this.#unflushed += bytes;
    if (this.#unflushed < flushBytes || this.#running !== undefined) return;
    this.#unflushed = 0;
    const syncs = this.#files.map(({ handle }) => handle.datasync());
    this.#running = Promise.allSettled(syncs).then((results) => {
      this.#running = undefined;
      // The system tells of a write that failed once: the fsync at the end would know nothing of it.
      this.#failure ??= results.find((result) => result.status === 'rejected')?.reason;
    });
  }

  /** Waits for the last one, after which the files may be closed; the first failure of any, if there was one. */
  async end(): Promise<unknown> {
    await this.#running;
    return this.#failure;
  }
}

/** Bytes of the result's tensors, without headers. */
function dataBytes({ shards }: MergePlan): number {
  return shards.shards.reduce((sum, { bytes, header }) => sum + bytes - header.length, 0);
}

/** Runs one worker; the promise settles once its thread has ended. */
function runWorker(
  job: WorkerJob,
  plan: MergePlan,
  outputFolder: string,
  onTile: (tile: WorkerMessage & { type: 'tile' }) => void,
): { worker: Worker; ended: Promise<void> } {
  const worker = new Worker(entryUrl('merge-worker'), { workerData: job });
  let outcome: WorkerMessage | undefined;
  let crash: unknown;
  const ended = new Promise<void>((resolve, reject) => {
    worker.on('message', (message: WorkerMessage) => {
      if (message.type === 'tile') onTile(message);
      else outcome = message;
    });
    worker.on('error', (error) => {
      crash = error;
    });
    worker.on('exit', (code) => {
      if (outcome?.type === 'done') return resolve();
      if (outcome?.type === 'failed') return reject(tileError(plan, outputFolder, outcome));
      reject(
        new UserError('A worker of the merge ended unexpectedly', {
          kind: 'work',
          remedy: 'Run the merge again; the log has the details.',
          cause: crash ?? new Error(`exit code ${code}`),
        }),
      );
    });
  });
  return { worker, ended };
}

async function runWorkers(
  plan: MergePlan,
  folder: string,
  inputs: readonly FileHandle[],
  outputs: readonly OpenShard[],
  options: ExecuteOptions,
): Promise<void> {
  const { workers, layout, signal, onProgress } = options;
  const total = plan.bytesRead + dataBytes(plan);
  let done = 0;
  const flush = new BackgroundFlush(outputs);
  const report = (read: number, written: number) => {
    done += read + written;
    flush.add(written);
    onProgress?.({ done, total, unit: 'bytes' });
  };
  report(0, 0);
  const control = new SharedArrayBuffer(8);
  const counts = new Int32Array(control);
  const module = await loadKernelModule();
  const memory = new WebAssembly.Memory({ initial: layout.pages, maximum: layout.pages, shared: true });
  throwIfCancelled(signal, 'The merge');

  const running = Array.from({ length: workers }, (_, worker) =>
    runWorker(
      {
        worker,
        module,
        memory,
        layout,
        control,
        method: plan.method.name,
        profile: plan.profile,
        tensors: plan.tensors,
        inputs: inputs.map((file) => file.fd),
        outputs: outputs.map(({ handle }) => handle.fd),
      },
      plan,
      folder,
      ({ read, written }) => report(read, written),
    ),
  );
  let timer: NodeJS.Timeout | undefined;
  const stop = () => {
    Atomics.store(counts, counters.stop, 1);
    timer ??= setTimeout(() => {
      for (const { worker } of running) void worker.terminate();
    }, graceMilliseconds);
  };
  signal?.addEventListener('abort', stop, { once: true });
  // The first failure is the cause; workers that are ended because of it fail, too.
  const failures: unknown[] = [];
  for (const { ended } of running) {
    ended.catch((error: unknown) => {
      failures.push(error);
      stop();
    });
  }
  await Promise.allSettled(running.map(({ ended }) => ended));
  const unwritten = await flush.end();
  signal?.removeEventListener('abort', stop);
  clearTimeout(timer);
  if (signal?.aborted) throw cancelledError('The merge');
  if (failures.length > 0) throw failures[0];
  if (unwritten !== undefined) throw unwritten;
}

/** Merges all tensors of a plan into weight files in `folder`, which must exist. */
export async function executePlan(plan: MergePlan, folder: string, options: ExecuteOptions): Promise<void> {
  const inputs: FileHandle[] = [];
  try {
    for (const file of plan.files) {
      inputs.push(
        await open(file, 'r').catch((error: unknown) => {
          throw fromSystemError(error, 'Cannot read the weights', file);
        }),
      );
    }
    await writeShards(folder, plan.shards, (outputs) => runWorkers(plan, folder, inputs, outputs, options));
  } finally {
    for (const input of inputs) await input.close().catch(() => undefined);
  }
}
