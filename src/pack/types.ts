import type { WorkOptions } from '../base/index.ts';
import type { Finding } from '../doctor/index.ts';
import type { Track } from '../submission/index.ts';

export type PackageForm = 'tar' | 'zip' | 'folder';

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
  /** What the folder shows unless told. */
  readonly track?: Track;
  /** File, or folder for the form `folder`; beside the submission's files, named after method or submission. */
  readonly out?: string;
  /** The track's unless told. */
  readonly form?: PackageForm;
  /** Pack in spite of errors; never in spite of secrets. */
  readonly force?: boolean;
}

/** A tarball or zip and the report that says it is fit to send. */
export interface Package {
  /** Absolute. */
  readonly file: string;
  /** Of the archive; of a folder, of the sorted list of its files' paths and hashes. */
  readonly sha256: string;
  readonly bytes: number;
  readonly entries: readonly PackEntry[];
  readonly leftOut: readonly LeftOut[];
  readonly findings: readonly Finding[];
}

/** What an archive is, read without unpacking it. */
export interface Verification {
  /** No finding is an error. */
  readonly fit: boolean;
  /** Name of the one folder that holds everything; null when there is none. */
  readonly root: string | null;
  readonly entries: readonly (PackEntry & { readonly sha256?: string })[];
  readonly findings: readonly Finding[];
}
