import { type Dtype, dtypes } from '../checkpoint/index.ts';
import type { TensorTask } from './plan.ts';

/** Elements that a method works on at once: three buffers of f32 fit in a core's second-level cache. */
export const blockElements = 8192;

/** Tiles in flight per worker: while one is computed, another is read and a third written. */
export const lanesPerWorker = 3;

/** The most that a tile needs to be: beyond this, reading is not faster. */
const largestTile = 1024 * 1024;

const wasmPage = 65536;

/** How the workers share one WebAssembly memory. All positions and sizes are bytes. */
export interface MemoryLayout {
  /** Elements of a tensor that are read, merged and written together; a multiple of {@link blockElements}. */
  readonly tileElements: number;
  readonly pages: number;
  readonly workerBytes: number;
  /** The bytes of one source or of the result in a tile. */
  readonly bufferBytes: number;
  /** Sources and result. */
  readonly buffersPerLane: number;
}

/** Where one worker's buffers lie. */
export interface WorkerMemory {
  /** Three blocks of f32: the result and two for intermediate values. */
  readonly blocks: readonly [number, number, number];
  /** Per lane a buffer for each source, then one for the result. */
  readonly lanes: readonly { readonly sources: readonly number[]; readonly result: number }[];
}

const blockBytes = blockElements * 4;

/**
 * Divides at most `budget` bytes (more only if the smallest tiles need it) among the workers. Memory depends on
 * the number of models and workers, never on their size.
 */
export function layOutMemory(tensors: readonly TensorTask[], workers: number, budget: number): MemoryLayout {
  const width = (dtype: Dtype) => dtypes[dtype].bytes;
  const widest = Math.max(
    ...tensors.flatMap(({ sources, output }) => [...sources, output].map(({ dtype }) => width(dtype))),
  );
  const buffersPerLane = 1 + Math.max(...tensors.map(({ sources }) => sources.length));
  const needed = Math.max(...tensors.map(({ elements }) => elements));
  const scratch = 3 * blockBytes;
  const perElement = lanesPerWorker * buffersPerLane * widest;
  const fitting = (budget / workers - scratch) / perElement;
  const blocks = Math.ceil(Math.min(needed, largestTile, Math.max(fitting, blockElements)) / blockElements);
  const most = Math.max(1, Math.floor(Math.max(fitting, blockElements) / blockElements));
  const tileElements = Math.min(blocks, most) * blockElements;
  const bufferBytes = tileElements * widest;
  const workerBytes = scratch + lanesPerWorker * buffersPerLane * bufferBytes;
  return {
    tileElements,
    // The first page stays free: the kernels' own data would lie there.
    pages: 1 + Math.ceil((workers * workerBytes) / wasmPage),
    workerBytes,
    bufferBytes,
    buffersPerLane,
  };
}

/** The part of the memory that belongs to one worker. */
export function workerMemory(layout: MemoryLayout, worker: number): WorkerMemory {
  let position = wasmPage + worker * layout.workerBytes;
  const take = (bytes: number) => {
    position += bytes;
    return position - bytes;
  };
  return {
    blocks: [take(blockBytes), take(blockBytes), take(blockBytes)],
    lanes: Array.from({ length: lanesPerWorker }, () => ({
      sources: Array.from({ length: layout.buffersPerLane - 1 }, () => take(layout.bufferBytes)),
      result: take(layout.bufferBytes),
    })),
  };
}

/** A part of a tensor: `count` elements from `start`. */
export interface Tile {
  readonly tensor: number;
  readonly start: number;
  readonly count: number;
}

/** Finds tiles by their number over all tensors, so that workers can take the next one from a counter. */
export class Tiles {
  readonly count: number;
  readonly #tensors: readonly TensorTask[];
  readonly #tileElements: number;
  /** The number of each tensor's first tile. */
  readonly #first: readonly number[];

  constructor(tensors: readonly TensorTask[], tileElements: number) {
    const first: number[] = [];
    let count = 0;
    for (const { elements } of tensors) {
      first.push(count);
      count += Math.ceil(elements / tileElements);
    }
    this.count = count;
    this.#tensors = tensors;
    this.#tileElements = tileElements;
    this.#first = first;
  }

  /** The tile of a number below {@link count}. */
  at(number: number): Tile {
    let low = 0;
    let high = this.#first.length - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((this.#first[middle] ?? 0) <= number) low = middle;
      else high = middle - 1;
    }
    const start = (number - (this.#first[low] ?? 0)) * this.#tileElements;
    const elements = this.#tensors[low]?.elements ?? 0;
    return { tensor: low, start, count: Math.min(this.#tileElements, elements - start) };
  }
}
