/** The part of tokenizer.json that tells how tokens become text. */
export interface DecoderJson {
  readonly type?: string;
  readonly decoders?: readonly DecoderJson[];
  readonly pattern?: { readonly String?: string };
  readonly content?: string;
  readonly start?: number;
  readonly stop?: number;
  readonly replacement?: string;
  readonly prepend_scheme?: string;
  readonly add_prefix_space?: boolean;
}

/**
 * How a tokenizer spells: what bytes a token stands for, and how whole sequences are put together. Every token has
 * bytes of its own here, so that text can grow token by token and a token that is half a character can be told.
 */
export interface Spelling {
  bytesOf(token: string): Uint8Array;
  /** The text of a whole sequence of tokens, as the reference implementation has it. */
  join(tokens: readonly string[]): string;
}

const encoder = new TextEncoder();
const byteToken = /^<0x([0-9A-Fa-f]{2})>$/;

/** As in UTF-8 everywhere else: what is no character becomes U+FFFD; a byte order mark is a character. */
export function utf8(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** The letters by which byte-level tokenizers write bytes: printable ones stand for themselves. */
function byteLetters(): Map<string, number> {
  const letters = new Map<string, number>();
  let next = 256;
  for (let byte = 0; byte < 256; byte++) {
    const printable =
      (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || (byte >= 0xae && byte <= 0xff);
    letters.set(String.fromCodePoint(printable ? byte : next++), byte);
  }
  return letters;
}

/** GPT-2's way, which Llama 3 and Qwen share: every letter of a token is a byte. */
function byteLevel(): Spelling {
  const letters = byteLetters();
  const bytesOf = (token: string) => {
    const bytes: number[] = [];
    for (const letter of token) {
      const byte = letters.get(letter);
      // A token with any other character, such as an added one, is written as it is.
      if (byte === undefined) return encoder.encode(token);
      bytes.push(byte);
    }
    return Uint8Array.from(bytes);
  };
  return { bytesOf, join: (tokens) => utf8(concat(tokens.map(bytesOf))) };
}

/** SentencePiece's way, which Llama 2 and Mistral share: a mark for spaces, and bytes as <0x..>. */
function pieces(replacements: readonly (readonly [string, string])[], spacesToStrip: number): Spelling {
  const replaced = (token: string) =>
    replacements.reduce((text, [from, to]) => text.replaceAll(from, to), token);
  const byteOf = (token: string) => {
    const match = byteToken.exec(token);
    return match?.[1] === undefined ? undefined : Number.parseInt(match[1], 16);
  };
  return {
    bytesOf: (token) => {
      const byte = byteOf(token);
      return byte === undefined ? encoder.encode(replaced(token)) : Uint8Array.of(byte);
    },
    join: (tokens) => {
      let text = '';
      let run: number[] = [];
      const endRun = () => {
        if (run.length > 0) text += runText(Uint8Array.from(run));
        run = [];
      };
      for (const token of tokens) {
        const byte = byteOf(token);
        if (byte === undefined) {
          endRun();
          text += replaced(token);
        } else run.push(byte);
      }
      endRun();
      let strip = 0;
      while (strip < spacesToStrip && text[strip] === ' ') strip++;
      return text.slice(strip);
    },
  };
}

/** A run of byte tokens that is not valid as a whole becomes one U+FFFD a byte, as the reference has it. */
function runText(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { ignoreBOM: true, fatal: true }).decode(bytes);
  } catch {
    return '\uFFFD'.repeat(bytes.length);
  }
}

/**
 * The spelling that the decoder of a tokenizer.json describes; undefined for one of another kind, which then is
 * the library's business.
 */
export function readSpelling(decoder: DecoderJson | null | undefined): Spelling | undefined {
  const steps = decoder?.type === 'Sequence' ? (decoder.decoders ?? []) : decoder ? [decoder] : [];
  if (steps.length === 1 && steps[0]?.type === 'ByteLevel') return byteLevel();
  const replacements: [string, string][] = [];
  let spacesToStrip = 0;
  for (const step of steps) {
    switch (step.type) {
      case 'Replace':
        if (step.pattern?.String === undefined) return undefined;
        replacements.push([step.pattern.String, step.content ?? '']);
        break;
      case 'ByteFallback':
      case 'Fuse':
        break;
      case 'Strip':
        if (step.content !== ' ' || (step.stop ?? 0) !== 0) return undefined;
        spacesToStrip = step.start ?? 0;
        break;
      case 'Metaspace':
        replacements.push([step.replacement ?? '▁', ' ']);
        if ((step.prepend_scheme ?? 'always') !== 'never' && step.add_prefix_space !== false)
          spacesToStrip = 1;
        break;
      default:
        return undefined;
    }
  }
  return replacements.length === 0 ? undefined : pieces(replacements, spacesToStrip);
}
