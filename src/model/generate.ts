import { throwIfCancelled, UserError, type WorkOptions } from '../base/index.ts';
import type { Answer, Decoder } from './decoder.ts';
import { greedyBelow, sampleToken, seededRandom } from './sampling.ts';
import { StopFinder, type StopHit } from './stop.ts';
import { utf8 } from './token-decoder.ts';
import type { Tokenizer } from './tokenizer.ts';
import type { GeneratedToken, GenerateRequest, Generation } from './types.ts';

/**
 * Prompt tokens that are run at once. Between two runs a request can be cancelled, and prompts share what they have
 * in common in whole chunks.
 */
const chunk = 64;

/** What JSON and HELM take in place of minus infinity. */
const lowest = -1e4;

export interface Generator {
  readonly decoder: Decoder;
  readonly tokenizer: Tokenizer;
  /** Tokens that end the text. */
  readonly endIds: ReadonlySet<number>;
  /** What an empty prompt begins with. */
  readonly beginId?: number;
}

/**
 * Generates one completion. What the prompt shares with the sequence before is not computed again. Throws a usage
 * error when the prompt does not fit the model's context; a completion that would leave the context ends there.
 */
export async function generate(
  { decoder, tokenizer, endIds, beginId }: Generator,
  request: GenerateRequest,
  options: WorkOptions = {},
): Promise<Generation> {
  const { contextTokens, vocabulary } = decoder.config;
  const prompt = request.tokens.length === 0 && beginId !== undefined ? [beginId] : request.tokens;
  const room = checkRoom(prompt, request.maxNewTokens, contextTokens, vocabulary);
  const greedy = request.temperature < greedyBelow;
  const random = seededRandom(request.seed ?? Math.floor(Math.random() * 2 ** 32));
  const candidates = Math.min(Math.max(request.topK, 1), vocabulary);
  const describe = (
    answer: Answer,
    row: number,
    id: number,
    logprob: number | undefined,
  ): GeneratedToken => ({
    id,
    text: tokenizer.textOf(id),
    logprob: usable(logprob),
    top: Array.from({ length: Math.min(request.topK, vocabulary) }, (_, rank) => {
      const at = row * candidates + rank;
      const candidate = Number(answer.topIds[at]);
      return { id: candidate, text: tokenizer.textOf(candidate), logprob: usable(answer.topLogprobs[at]) };
    }),
  });

  const question = { candidates, all: !greedy };
  const prefilled = await prefill(decoder, prompt, request.echo, question, options.signal);
  const promptTokens = request.echo ? echoTokens(request.tokens, prefilled.answers, describe, tokenizer) : [];
  let answer = prefilled.answers.at(-1);
  let row = prefilled.lastRow;

  const stops = new StopFinder(request.stop);
  const tokens: GeneratedToken[] = [];
  const bytes: Uint8Array[] = [];
  let hit: StopHit | undefined;
  let finish: Generation['finish'] = 'length';
  while (tokens.length < room && answer) {
    const all = answer.all?.subarray(row * vocabulary, (row + 1) * vocabulary);
    if (all) usable(all[0]);
    const id = all
      ? sampleToken(all, request.temperature, request.topP, random())
      : Number(answer.topIds[row * candidates]);
    if (endIds.has(id)) {
      finish = 'endoftext';
      break;
    }
    tokens.push(describe(answer, row, id, all ? all[id] : answer.topLogprobs[row * candidates]));
    const added = tokenizer.bytesOf(id);
    bytes.push(added);
    hit = stops.push(added);
    if (hit) {
      finish = 'stop';
      break;
    }
    options.onProgress?.({ done: tokens.length, total: room, unit: 'tokens' });
    if (tokens.length === room) break;
    throwIfCancelled(options.signal, 'The request');
    answer = await decoder.run([id], { rows: [0], ...question });
    row = 0;
  }
  return { ...cutAt(hit, tokens, bytes, tokenizer), promptTokens, finish };
}

/** How many tokens may be generated. */
function checkRoom(
  prompt: readonly number[],
  maxNewTokens: number,
  contextTokens: number,
  vocabulary: number,
): number {
  const { length } = prompt;
  if (length === 0) {
    throw new UserError('The prompt has no tokens', { remedy: 'Send a prompt that is not empty.' });
  }
  const foreign = prompt.find((id) => id < 0 || id >= vocabulary);
  if (foreign !== undefined) {
    throw new UserError(`The token ${foreign} is not one of the model's ${vocabulary}`, {
      remedy: 'Check that tokenizer and model belong together.',
    });
  }
  const least = maxNewTokens > 0 ? 1 : 0;
  if (length + least > contextTokens) {
    throw new UserError(
      `The prompt has ${length} tokens; the model's context of ${contextTokens} leaves no room for a completion`,
      { remedy: 'Shorten the prompt, for example with /tokenize and its max_length.' },
    );
  }
  return Math.min(maxNewTokens, contextTokens - length);
}

interface Prefilled {
  /** With echo one answer a chunk, its rows the chunk's tokens; otherwise one, for the last token. */
  readonly answers: readonly Answer[];
  readonly lastRow: number;
}

async function prefill(
  decoder: Decoder,
  tokens: readonly number[],
  echo: boolean,
  question: { readonly candidates: number; readonly all: boolean },
  signal: AbortSignal | undefined,
): Promise<Prefilled> {
  const { cache } = decoder;
  // The last token is always run again: what comes after it is what is asked.
  const shared = echo ? 0 : Math.min(cache.shared(tokens), tokens.length - 1);
  const begin = shared - (shared % chunk);
  cache.cut(begin);
  const answers: Answer[] = [];
  let lastRow = 0;
  for (let at = begin; at < tokens.length; at += chunk) {
    throwIfCancelled(signal, 'The request');
    const part = tokens.slice(at, at + chunk);
    const last = at + part.length === tokens.length;
    const rows = echo ? part.map((_, index) => index) : [part.length - 1];
    const wanted = echo || last;
    const answer = await decoder.run(
      part,
      wanted
        ? {
            rows,
            candidates: question.candidates,
            all: question.all && last,
            ...(echo ? { targets: part.map((_, index) => tokens[at + index + 1] ?? 0) } : {}),
          }
        : undefined,
    );
    if (part.length === chunk) cache.settle();
    if (answer) answers.push(answer);
    lastRow = rows.length - 1;
  }
  return { answers, lastRow };
}

type Describe = (answer: Answer, row: number, id: number, logprob: number | undefined) => GeneratedToken;

/** The prompt's own tokens: each with its log-probability after those before it; before the first is nothing. */
function echoTokens(
  tokens: readonly number[],
  answers: readonly Answer[],
  describe: Describe,
  tokenizer: Tokenizer,
): GeneratedToken[] {
  const [begin, end] = tokenizer.ownRange(tokens);
  return tokens.slice(begin, end).map((id, index) => {
    const before = begin + index - 1;
    const answer = answers[Math.floor(before / chunk)];
    if (before < 0 || !answer) return { id, text: tokenizer.textOf(id), logprob: 0, top: [] };
    const row = before % chunk;
    return describe(answer, row, id, answer.targets?.[row]);
  });
}

/** Leaves out the stop sequence, what comes behind it, and the tokens that lie there as a whole. */
function cutAt(
  hit: StopHit | undefined,
  tokens: readonly GeneratedToken[],
  bytes: readonly Uint8Array[],
  tokenizer: Tokenizer,
): Pick<Generation, 'text' | 'tokens'> {
  const text = tokenizer.decodeCompletion(tokens.map(({ id }) => id));
  if (!hit) return { text, tokens };
  let begin = 0;
  const kept = tokens.filter((_, index) => {
    const keep = begin < hit.offset;
    begin += bytes[index]?.length ?? 0;
    return keep;
  });
  const at = text.indexOf(hit.sequence);
  // A tokenizer can strip the very space that the sequence begins with.
  return {
    text: at < 0 ? utf8(Buffer.concat(bytes).subarray(0, hit.offset)) : text.slice(0, at),
    tokens: kept,
  };
}

/** A log-probability that JSON can carry. Damaged weights compute none: that is said, not hidden. */
function usable(logprob: number | undefined): number {
  if (logprob === undefined || Number.isNaN(logprob)) {
    throw new UserError('The model computes no probabilities but NaN: its weights are damaged', {
      kind: 'work',
      remedy: 'Merge or download the checkpoint again.',
    });
  }
  return Math.min(0, Math.max(lowest, logprob));
}
