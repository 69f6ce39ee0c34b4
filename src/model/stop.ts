/** Where a stop sequence begins, as an offset into the bytes of the text. */
export interface StopHit {
  readonly sequence: string;
  readonly offset: number;
}

/**
 * Looks for stop sequences in a text that grows by pieces of bytes. It works on bytes because a token can end
 * within a character; UTF-8 allows it, as no character's bytes are part of another's.
 */
export class StopFinder {
  private readonly sequences: readonly { readonly text: string; readonly bytes: Buffer }[];
  private readonly longest: number;
  private tail: Buffer = Buffer.alloc(0);
  private length = 0;

  constructor(sequences: readonly string[]) {
    this.sequences = sequences
      .filter((text) => text !== '')
      .map((text) => ({ text, bytes: Buffer.from(text) }));
    this.longest = Math.max(0, ...this.sequences.map(({ bytes }) => bytes.length));
  }

  /** Takes the next bytes; the first stop sequence of the text once one is complete. */
  push(bytes: Uint8Array): StopHit | undefined {
    const window = Buffer.concat([this.tail, bytes]);
    const windowStart = this.length - this.tail.length;
    this.length += bytes.length;
    let first: StopHit | undefined;
    for (const { text, bytes: stop } of this.sequences) {
      const at = window.indexOf(stop);
      if (at < 0) continue;
      const offset = windowStart + at;
      if (first === undefined || offset < first.offset) first = { sequence: text, offset };
    }
    // What a sequence could begin in stays.
    this.tail = this.longest > 1 ? window.subarray(-(this.longest - 1)) : Buffer.alloc(0);
    return first;
  }
}
