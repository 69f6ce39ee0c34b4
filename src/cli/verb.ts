import type { Command } from 'commander';
import type { ReportProgress } from '../base/index.ts';

/** What a verb has to say when its work is done. */
export interface Outcome {
  /** The one document of `--json`. */
  readonly json: unknown;
  /** The same for people, without a final newline; empty prints nothing. */
  readonly text: string;
  /** False when what was checked is not fit: exit code 1. */
  readonly fit?: boolean;
}

/** What the work of a verb is given. */
export interface VerbContext {
  readonly signal: AbortSignal;
  readonly onProgress: ReportProgress;
  /** One line on stderr. */
  readonly note: (message: string) => void;
  /** One line on stdout right away, for a verb that lives on (serve). */
  readonly say: (message: string) => void;
}

/** Runs the work of a verb and turns what it gives or throws into output and exit code. */
export type RunVerb = (
  options: { json?: boolean },
  work: (context: VerbContext) => Promise<Outcome>,
) => Promise<void>;

/** Adds a verb to the program. */
export type AddVerb = (program: Command, run: RunVerb) => void;

/** Keys that were given, without those that are undefined: for options that must be absent rather than undefined. */
export function given<T extends Record<string, unknown>>(
  options: T,
): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
