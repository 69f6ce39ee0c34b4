import type { WorkOptions } from '../base/index.ts';

export interface MergeOptions extends WorkOptions {
  /** Worker threads; all cores but one (at least one) unless told. */
  readonly workers?: number;
  /** Bytes; 5e9 unless told. */
  readonly maxShardSize?: number;
}

/** What a merge did (spec/cli.md). */
export interface MergeResult {
  readonly tensors: number;
  readonly parameters: number;
  readonly bytesRead: number;
  readonly bytesWritten: number;
  readonly seconds: number;
  readonly peakRssBytes: number;
  readonly warnings: readonly string[];
}
