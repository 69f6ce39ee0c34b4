// What answers the merging kit's data sets: the composition of models and endpoints with their evaluation.
import { join } from 'node:path';
import { z } from 'zod';
import { baseUrl, call, NoReply, parseWith, throwIfCancelled, UserError } from '../base/index.ts';
import { openCheckpoint, readJsonObject } from '../checkpoint/index.ts';
import type { AnswerSource, ChoiceLogprobs } from '../helm/index.ts';
import { loadModel, loadTokenizer, type Tokenizer } from '../model/index.ts';

/** An {@link AnswerSource} that holds a process or nothing. */
export type OpenSource = AnswerSource & { close(): Promise<void> };

const nameSchema = z.union([
  z.string(),
  z.object({ content: z.string() }).transform((token) => token.content),
]);

/** The id that the kit puts behind each choice: the tokenizer's `eos_token`, else the model's. */
async function endId(folder: string, tokenizer: Tokenizer): Promise<number> {
  const read = (name: string) =>
    readJsonObject(join(folder, name), name).catch((): Record<string, unknown> => ({}));
  const [settings, config] = await Promise.all([read('tokenizer_config.json'), read('config.json')]);
  const name = nameSchema.safeParse(settings.eos_token);
  if (name.success) {
    const ids = ownIds(tokenizer, name.data);
    if (ids.length === 1) return ids[0] as number;
  }
  const [id] = [config.eos_token_id].flat();
  if (typeof id === 'number') return id;
  throw new UserError('The checkpoint names no token for the end of text', {
    place: { file: join(folder, 'tokenizer_config.json'), field: 'eos_token' },
    remedy: 'Copy tokenizer_config.json from the base model.',
  });
}

function ownIds(tokenizer: Tokenizer, text: string): number[] {
  const ids = tokenizer.encode(text);
  return ids.slice(...tokenizer.ownRange(ids));
}

/** A checkpoint, loaded in a process of its own. */
export async function checkpointSource(folder: string, signal: AbortSignal): Promise<OpenSource> {
  await openCheckpoint(folder);
  const tokenizer = await loadTokenizer(folder);
  const end = await endId(folder, tokenizer);
  // Log-probabilities come without the special tokens at the end of a sequence; behind this one they are its own.
  const guard = end === 0 ? 1 : 0;
  const model = await loadModel(folder, { signal });
  const greedy = { temperature: 0, topP: 1, topK: 0, stop: [] };
  const score = async (input: readonly number[], choice: string): Promise<ChoiceLogprobs> => {
    const own = ownIds(tokenizer, choice);
    const { promptTokens } = await model.generate(
      { ...greedy, tokens: [...input, ...own, end, guard], maxNewTokens: 0, echo: true },
      { signal },
    );
    const logprobs = promptTokens.slice(-own.length - 2, -1).map(({ logprob }) => logprob);
    return { tokens: logprobs.slice(0, -1), end: logprobs.at(-1) as number };
  };
  return {
    scorings: ['kit', 'loglikelihood', 'loglikelihood_norm'],
    async choices(input, choices) {
      const tokens = tokenizer.encode(input);
      const scores: ChoiceLogprobs[] = [];
      for (const choice of choices) scores.push(await score(tokens, choice));
      return scores;
    },
    async generate(input, maxNewTokens) {
      const request = { ...greedy, tokens: tokenizer.encode(input), maxNewTokens, echo: false };
      return (await model.generate(request, { signal })).text;
    },
    close: () => model.close(),
  };
}

const answerSchema = z.object({
  text: z.string(),
  tokens: z.array(z.object({ text: z.string(), logprob: z.number() })),
});

type Answer = z.infer<typeof answerSchema>;

/** Bytes of a token; `bytes:\x..` stands for raw bytes. */
function bytesOf({ text }: { readonly text: string }): Buffer {
  const hex = /^bytes:((?:\\x[0-9a-fA-F]{2})+)$/.exec(text)?.[1];
  return hex === undefined ? Buffer.from(text) : Buffer.from(hex.replaceAll('\\x', ''), 'hex');
}

/** The log-probabilities of the tokens that make up the end of an echoed prompt; undefined where it is not echoed. */
function echoedLogprobs({ tokens }: Answer, input: string, choice: string): number[] | undefined {
  const parts = tokens.map(bytesOf);
  const start = Buffer.concat(parts).indexOf(Buffer.from(input + choice));
  if (start < 0) return undefined;
  const begin = start + Buffer.byteLength(input);
  const end = begin + Buffer.byteLength(choice);
  let at = 0;
  const logprobs = parts.flatMap((part, i) => {
    const from = at;
    at += part.length;
    return part.length > 0 && at > begin && from < end ? [tokens[i]?.logprob ?? 0] : [];
  });
  return logprobs.some((logprob) => logprob !== 0) ? logprobs : undefined;
}

const answerTimeout = 600_000;

/** An endpoint of the challenge's contract; choices are scored by the log-probabilities that it echoes. */
export function endpointSource(url: string, signal: AbortSignal): OpenSource {
  const address = `${baseUrl(url)}/process`;
  const place = { url: address };
  const ask = async (prompt: string, maxNewTokens: number, echo: boolean): Promise<Answer> => {
    const body = {
      prompt,
      temperature: 1e-7,
      num_return_sequences: 1,
      max_new_tokens: maxNewTokens,
      top_p: 1,
      echo_prompt: echo,
      top_k_per_token: 1,
      stop_sequences: [],
    };
    const reply = await call(address, { body: JSON.stringify(body), timeoutMs: answerTimeout, signal }).catch(
      (cause: unknown) => {
        throwIfCancelled(signal, 'Predicting');
        const why = cause instanceof NoReply ? cause.message : String(cause);
        throw new UserError(`The endpoint does not answer: ${why}`, { place, cause });
      },
    );
    if (reply.status >= 400) {
      throw new UserError(`The endpoint answers ${reply.status} ${reply.statusText}`, {
        kind: 'work',
        place,
      });
    }
    let answer: unknown;
    try {
      answer = JSON.parse(reply.text);
    } catch (cause) {
      throw new UserError('The endpoint’s answer is no JSON', { kind: 'work', place, cause });
    }
    return parseWith(answerSchema, answer, 'The endpoint’s answer', place);
  };
  return {
    scorings: ['loglikelihood', 'loglikelihood_norm'],
    async choices(input, choices) {
      const scores: ChoiceLogprobs[] = [];
      for (const choice of choices) {
        const tokens = echoedLogprobs(await ask(input + choice, 0, true), input, choice);
        if (!tokens && choice !== '') {
          throw new UserError('The endpoint does not echo the prompt with its log-probabilities', {
            place,
            remedy: 'Multiple choice needs them (echo_prompt): give the checkpoint itself.',
          });
        }
        scores.push({ tokens: tokens ?? [] });
      }
      return scores;
    },
    generate: async (input, maxNewTokens) => (await ask(input, maxNewTokens, false)).text,
    close: () => Promise.resolve(),
  };
}
