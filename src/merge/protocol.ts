import type { MemoryLayout } from './memory.ts';
import type { Profile } from './methods/index.ts';
import type { TensorTask } from './plan.ts';

/** Positions in the control array that main thread and workers share. */
export const counters = { nextTile: 0, stop: 1 } as const;

/** What a merge worker is started with. */
export interface WorkerJob {
  readonly worker: number;
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  readonly layout: MemoryLayout;
  /** {@link counters} as 32-bit integers. */
  readonly control: SharedArrayBuffer;
  readonly method: string;
  readonly profile: Profile;
  readonly tensors: readonly TensorTask[];
  /** Open files, by the numbers in the tensors; the main thread closes them. */
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
}

/** What a merge worker tells. */
export type WorkerMessage =
  /** A tile is done: so many bytes were read and written for it. */
  | { readonly type: 'tile'; readonly read: number; readonly written: number }
  /** A tile failed; `input` is the number of the input file, missing for the output. */
  | {
      readonly type: 'failed';
      readonly message: string;
      readonly tensor: string;
      readonly input?: number;
      readonly code?: string;
      readonly details?: string;
    }
  /** No tile is left, or the merge was stopped. */
  | { readonly type: 'done' };
