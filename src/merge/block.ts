import { dtypes } from '../checkpoint/index.ts';
import { type Format, type Kernels, type Rounding, roundScalar } from './kernels/index.ts';
import { blockElements, type WorkerMemory } from './memory.ts';
import type { Block, MergeMethod, Operand, Profile } from './methods/index.ts';
import type { TensorTask } from './plan.ts';

/** A tile's data in the memory: where the bytes of each source lie, and where those of the result go. */
export interface TileBuffers {
  readonly sources: readonly number[];
  readonly result: number;
}

/** Merges the `count` elements of a tile, block by block. */
export function mergeTile(
  kernels: Kernels,
  profile: Profile,
  method: MergeMethod,
  task: TensorTask,
  count: number,
  buffers: TileBuffers,
  blocks: WorkerMemory['blocks'],
): void {
  const [out, first, second] = blocks;
  const { rounding } = task;
  const outputFormat = task.output.dtype as Rounding;
  for (let start = 0; start < count; start += blockElements) {
    const n = Math.min(blockElements, count - start);
    const operands = task.sources.map((source, index): Operand => {
      const format = source.dtype as Format;
      const bytes = (buffers.sources[index] ?? 0) + start * dtypes[format].bytes;
      return {
        load(target) {
          kernels.decode[format](bytes, target, n);
          if (format !== rounding) kernels.round[rounding](target, n);
        },
      };
    });
    const block: Block = {
      n,
      kernels,
      profile,
      rounding,
      inputs: operands,
      base: operands[task.base],
      others: operands.filter((_, index) => index !== task.base),
      out,
      scratch: [first, second],
      round: (value) => roundScalar(rounding, value),
    };
    method.merge(block, task.values);
    kernels.encode[outputFormat](out, buffers.result + start * dtypes[outputFormat].bytes, n);
  }
}
