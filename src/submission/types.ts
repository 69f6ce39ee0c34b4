import type { Track } from './track-schema.ts';

/** The two competitions' forms of entry. */
export type SubmissionKind = 'merging' | 'efficiency';

/** Generations of the merging kit, by how main.py finds the methods. */
export type KitGeneration = 'july' | 'september';

/** One file (or line of it) that shows what a folder is. */
export interface Evidence {
  /** Relative to the submission's folder, with `/`. */
  readonly file: string;
  readonly line?: number;
  /** What it shows, in a few words: `merging kit's main.py`. */
  readonly shows: string;
}

/** A folder of one of two kinds, with its track's rules. */
export interface Submission {
  /** Absolute path. */
  readonly folder: string;
  /** For people: from submission.yaml, else the folder's name. */
  readonly name: string;
  readonly kind: SubmissionKind;
  readonly track: Track;
  readonly evidence: readonly Evidence[];
  /** What is wrong with its submission.yaml, which then counts for nothing. */
  readonly problem?: string;
  /** Which generation of the merging kit, where it is one. */
  readonly kit?: KitGeneration;
}
