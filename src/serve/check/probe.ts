import type { CheckSession } from './session.ts';

/** One check of the contract: what it demands, and how it is found out. */
export interface Probe {
  readonly id: string;
  readonly title: string;
  /** Resolves to what was seen; throws Broken with what is wrong. */
  readonly run: (session: CheckSession) => Promise<string>;
}

/** A text for a detail, not too long. */
export function quoted(text: string): string {
  const short = text.length > 60 ? `${text.slice(0, 60)}…` : text;
  return JSON.stringify(short);
}
