import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Tokenizer as Library } from '@huggingface/tokenizers';
import { z } from 'zod';
import { parseWith, UserError } from '../base/index.ts';
import { readJsonObject } from '../checkpoint/index.ts';
import { type DecoderJson, readSpelling, type Spelling, utf8 } from './token-decoder.ts';

/** The tokenizer of a checkpoint. */
export interface Tokenizer {
  /** Number of ids, added tokens included. */
  readonly size: number;
  /**
   * The ids of `text` with the special tokens that the tokenizer puts around it, as AutoTokenizer has it; with
   * `maxLength`, at most that many, those tokens included, from the left.
   */
  encode(text: string, maxLength?: number): number[];
  /** The text of ids from {@link encode}; the special tokens that it put around the text are left out again. */
  decode(ids: readonly number[]): string;
  /** Which of the ids from {@link encode} are the text's own, [begin, end). */
  ownRange(ids: readonly number[]): readonly [begin: number, end: number];
  /** The text of generated ids: special tokens are left out. */
  decodeCompletion(ids: readonly number[]): string;
  /** The bytes that a token adds to a text; a special token has none. */
  bytesOf(id: number): Uint8Array;
  /**
   * A token as text: what it adds to a text, spaces included. Bytes that are no whole characters are written
   * `bytes:\xe2\x82`, as HELM counts them.
   */
  textOf(id: number): string;
}

const tokenizerSchema = z.looseObject({
  model: z.looseObject({
    type: z.string().optional(),
    vocab: z.union([z.record(z.string(), z.number()), z.array(z.tuple([z.string(), z.number()]))]),
  }),
  added_tokens: z
    .array(z.looseObject({ id: z.number().int(), content: z.string(), special: z.boolean().default(false) }))
    .default([]),
});

const gpt2Pattern = String.raw`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`;

/**
 * The library's own GPT-2 pattern takes JavaScript's `\s`, which knows other spaces than Unicode; as an explicit
 * Split, which the library translates, the same pattern is right.
 */
function withUnicodeSpaces(preTokenizer: unknown): unknown {
  if (typeof preTokenizer !== 'object' || preTokenizer === null) return preTokenizer;
  const step = preTokenizer as Record<string, unknown>;
  if (Array.isArray(step.pretokenizers)) {
    return { ...step, pretokenizers: step.pretokenizers.map(withUnicodeSpaces) };
  }
  if (step.type !== 'ByteLevel' || step.use_regex === false || step.add_prefix_space === true) return step;
  const split = { type: 'Split', pattern: { Regex: gpt2Pattern }, behavior: 'Isolated', invert: false };
  return { type: 'Sequence', pretokenizers: [split, { ...step, use_regex: false }] };
}

/**
 * Loads tokenizer.json and tokenizer_config.json of a checkpoint. Throws a usage error when there is none or the
 * library does not know its parts.
 */
export async function loadTokenizer(folder: string): Promise<Tokenizer> {
  const file = join(folder, 'tokenizer.json');
  const hasFile = await readFile(file).then(
    () => true,
    (error: NodeJS.ErrnoException) => error.code !== 'ENOENT',
  );
  if (!hasFile) {
    throw new UserError('The checkpoint has no tokenizer.json', {
      place: { file: folder },
      remedy:
        'Copy it from the base model, or save it with AutoTokenizer.from_pretrained(…).save_pretrained(folder).',
    });
  }
  const raw = await readJsonObject(file, 'The tokenizer');
  const json = parseWith(tokenizerSchema, raw, 'The tokenizer', { file });
  try {
    // The library insists on keys that the format leaves optional. Of tokenizer_config.json it would take clean-ups
    // that destroy text; AutoTokenizer ignores them for tokenizers of this kind.
    const complete = {
      normalizer: null,
      pre_tokenizer: null,
      post_processor: null,
      decoder: null,
      ...json,
      ...(json.pre_tokenizer ? { pre_tokenizer: withUnicodeSpaces(json.pre_tokenizer) } : {}),
    };
    const library = new Library(complete, { clean_up_tokenization_spaces: false });
    return new CheckpointTokenizer(library, json, readSpelling(json.decoder as DecoderJson | null));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new UserError(`The tokenizer cannot be used: ${why}`, { place: { file }, cause });
  }
}

class CheckpointTokenizer implements Tokenizer {
  readonly size: number;
  private readonly library: Library;
  private readonly spelling: Spelling;
  private readonly tokens: (string | undefined)[] = [];
  private readonly special = new Set<number>();
  /** What the tokenizer puts before and behind every text. */
  private readonly prefix: readonly number[];
  private readonly suffix: readonly number[];

  constructor(library: Library, json: z.infer<typeof tokenizerSchema>, spelling: Spelling | undefined) {
    this.library = library;
    const { vocab } = json.model;
    const entries = Array.isArray(vocab)
      ? vocab.map(([token], id) => [token, id] as const)
      : Object.entries(vocab);
    for (const [token, id] of entries) this.tokens[id] = token;
    for (const { id, content, special } of json.added_tokens) {
      this.tokens[id] = content;
      if (special) this.special.add(id);
    }
    this.size = this.tokens.length;
    this.spelling = spelling ?? this.librarySpelling();
    const plain: readonly number[] = library.encode('a', { add_special_tokens: false }).ids;
    const framed: readonly number[] = library.encode('a').ids;
    const begin = framed.findIndex((_, at) => plain.every((id, index) => framed[at + index] === id));
    this.prefix = framed.slice(0, Math.max(begin, 0));
    this.suffix = begin < 0 ? [] : framed.slice(begin + plain.length);
  }

  encode(text: string, maxLength = Number.POSITIVE_INFINITY): number[] {
    // A half surrogate pair, which JSON can carry, has no bytes.
    const wellFormed = Buffer.from(text).toString();
    const ids: readonly number[] = this.library.encode(wellFormed, { add_special_tokens: false }).ids;
    const room = Math.max(0, maxLength - this.prefix.length - this.suffix.length);
    const framed = [...this.prefix, ...(ids.length > room ? ids.slice(0, room) : ids), ...this.suffix];
    return framed.length > maxLength ? framed.slice(0, Math.max(0, maxLength)) : framed;
  }

  ownRange(ids: readonly number[]): readonly [begin: number, end: number] {
    const { prefix, suffix } = this;
    const begin = prefix.every((id, index) => ids[index] === id) ? prefix.length : 0;
    const end = ids.length - suffix.length;
    const closed = end >= begin && suffix.every((id, index) => ids[end + index] === id);
    return [begin, closed ? end : ids.length];
  }

  decode(ids: readonly number[]): string {
    return this.join(ids.slice(...this.ownRange(ids)));
  }

  decodeCompletion(ids: readonly number[]): string {
    return this.join(ids.filter((id) => !this.special.has(id)));
  }

  bytesOf(id: number): Uint8Array {
    const token = this.tokens[id];
    return token === undefined || this.special.has(id) ? new Uint8Array(0) : this.spelling.bytesOf(token);
  }

  textOf(id: number): string {
    const token = this.tokens[id];
    if (token === undefined) return '';
    if (this.special.has(id)) return token;
    const bytes = this.spelling.bytesOf(token);
    const text = utf8(bytes);
    if (!text.includes('\uFFFD')) return text;
    if (Buffer.from(text).equals(bytes)) return text;
    const hex = Array.from(bytes, (byte) => `\\x${byte.toString(16).padStart(2, '0')}`);
    return `bytes:${hex.join('')}`;
  }

  /** Ids that are no token are left out, as the reference does. */
  private join(ids: readonly number[]): string {
    const tokens = ids.map((id) => this.tokens[id]).filter((token) => token !== undefined);
    return tokens.length === 0 ? '' : this.spelling.join(tokens);
  }

  private librarySpelling(): Spelling {
    const join = (tokens: readonly string[]) =>
      this.library.decode(
        tokens.map((token) => this.library.token_to_id(token) ?? 0),
        { clean_up_tokenization_spaces: false },
      );
    return { join, bytesOf: (token) => Buffer.from(join([token])) };
  }
}
