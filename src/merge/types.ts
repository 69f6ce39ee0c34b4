import type { WorkOptions } from '../base/index.ts';
import type { Profile } from './methods/index.ts';

export interface MergeOptions extends WorkOptions {
  /** Worker threads; all cores but one unless told, both of two, fewer for small models. */
  readonly workers?: number;
  /** Bytes; 5e9 unless told, 0 for one file. */
  readonly maxShardSize?: number;
  /** How results are rounded; `f32` unless told. */
  readonly profile?: Profile;
  /** Bytes that the buffers of all workers may take together; 256 MiB unless told. */
  readonly bufferMemory?: number;
}

/** What a merge did. */
export interface MergeResult {
  readonly tensors: number;
  readonly parameters: number;
  readonly bytesRead: number;
  readonly bytesWritten: number;
  readonly seconds: number;
  readonly peakRssBytes: number;
  readonly warnings: readonly string[];
}

/** What a merge would do and need. */
export interface DryRunResult {
  readonly tensors: number;
  readonly parameters: number;
  readonly bytesRead: number;
  readonly bytesWritten: number;
  readonly peakRssBytes: number;
  readonly diskNeeded: number;
  readonly diskFree: number;
  readonly estimatedSeconds: number;
  readonly warnings: readonly string[];
}
