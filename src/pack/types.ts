import type { WorkOptions } from '../base/index.ts';
import type { Finding } from '../doctor/types.ts';

export interface PackEntry {
  /** Path inside the archive. */
  readonly path: string;
  readonly bytes: number;
}

export interface LeftOut {
  /** Relative to the submission's folder; a folder ends with `/`. */
  readonly path: string;
  readonly why: string;
}

export interface PackOptions extends WorkOptions {
  readonly out?: string;
  readonly form?: 'tar' | 'zip' | 'folder';
  /** Pack in spite of errors; never in spite of secrets. */
  readonly force?: boolean;
}

/** A tarball or zip and the report that says it is fit to send (spec/cli.md). */
export interface Package {
  readonly file: string;
  readonly sha256: string;
  readonly bytes: number;
  readonly entries: readonly PackEntry[];
  readonly leftOut: readonly LeftOut[];
  readonly findings: readonly Finding[];
}
