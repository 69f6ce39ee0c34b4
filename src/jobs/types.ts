import type { Progress } from '../base/index.ts';

export type JobKind = 'scaffold' | 'merge' | 'serve' | 'evaluate' | 'doctor' | 'pack' | 'check';
export type JobState = 'running' | 'stopping' | 'done' | 'failed' | 'cancelled';

/** A long task that this window runs or has run. */
export interface Job {
  readonly id: string;
  readonly kind: JobKind;
  readonly title: string;
  /** The submission it belongs to (absolute folder), if any. */
  readonly folder?: string;
  readonly state: JobState;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly endedAt?: number;
  readonly progress?: Progress;
  /** For people, in state `failed`. */
  readonly error?: string;
  /** What came of it, in a few words, in state `done`. */
  readonly outcome?: string;
}
