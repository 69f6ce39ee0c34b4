import {
  decodeResponseSchema,
  type ProcessResponse,
  processResponseSchema,
  tokenizeResponseSchema,
} from '../contract.ts';
import { Broken, type CheckSession, helmRequest, type Path } from './session.ts';

/** One check of the contract: what it demands, and how it is found out. */
export interface Probe {
  readonly id: string;
  readonly title: string;
  /** Resolves to what was seen; throws {@link Broken} with what is wrong. */
  readonly run: (session: CheckSession) => Promise<string>;
}

/** What the organizers send to see whether a container lives. */
const healthPrompt = 'The capital of France is ';

function quoted(text: string): string {
  const short = text.length > 60 ? `${text.slice(0, 60)}…` : text;
  return JSON.stringify(short);
}

function same(a: ProcessResponse, b: ProcessResponse): boolean {
  return (
    a.text === b.text &&
    a.tokens.map(({ text }) => text).join('\0') === b.tokens.map(({ text }) => text).join('\0')
  );
}

const healthBody: Probe = {
  id: 'health-body',
  title: 'A body with nothing but the prompt is answered, as the organizers’ health check sends it',
  run: async (session) => {
    const { tokens } = await session.complete({ prompt: healthPrompt });
    return `${tokens.length} tokens`;
  },
};

const helmBody: Probe = {
  id: 'helm-body',
  title: 'The eight fields that HELM sends are answered',
  run: async (session) => {
    const { text } = await session.complete(helmRequest());
    return `answered ${quoted(text)}`;
  },
};

const deterministic: Probe = {
  id: 'deterministic',
  title: 'At temperature 1e-7, which is how HELM writes 0, the answer is always the same',
  run: async (session) => {
    const request = helmRequest({ max_new_tokens: 16 });
    const first = await session.complete(request);
    const second = await session.complete(request);
    if (!same(first, second)) {
      throw new Broken(`the same request gave ${quoted(first.text)} and ${quoted(second.text)}`);
    }
    return `twice ${quoted(first.text)}`;
  },
};

const maxNewTokens: Probe = {
  id: 'max-new-tokens',
  title: 'max_new_tokens is a limit (1, 5 and 64 tokens)',
  run: async (session) => {
    const counts: number[] = [];
    for (const limit of [1, 5, 64]) {
      const { tokens } = await session.complete(helmRequest({ max_new_tokens: limit }));
      if (tokens.length > limit) throw new Broken(`${tokens.length} tokens came where ${limit} were allowed`);
      counts.push(tokens.length);
    }
    return `${counts.join(', ')} tokens`;
  },
};

/** A text of the model that is long enough to be stopped within. */
async function freeText(session: CheckSession) {
  for (const prompt of [helmRequest().prompt, healthPrompt, 'Once upon a time', 'a b c d e f g']) {
    const request = helmRequest({ prompt, max_new_tokens: 64 });
    const { text } = await session.complete(request);
    if (text.trim().length > 1) return { request, text };
  }
  return undefined;
}

const stopSequences: Probe = {
  id: 'stop-sequences',
  title: 'The text ends before the first stop sequence, which is left out',
  run: async (session) => {
    const free = await freeText(session);
    const base = free?.request ?? helmRequest({ max_new_tokens: 64 });
    const line = await session.complete({ ...base, stop_sequences: ['\n'] });
    if (line.text.includes('\n')) throw new Broken(`stop ["\\n"] gave ${quoted(line.text)}`);
    if (!free) return 'the model wrote nothing that could be stopped';
    // A model that writes no new line would pass that by chance: something that it does write tells more.
    const middle = free.text.trimStart().slice(Math.min(4, free.text.trim().length - 1));
    const stop = [...middle][0] ?? '\n';
    const { text } = await session.complete({ ...base, stop_sequences: [stop] });
    const expected = free.text.slice(0, free.text.indexOf(stop));
    if (text.includes(stop)) throw new Broken(`stop [${JSON.stringify(stop)}] gave ${quoted(text)}`);
    if (text.trimEnd() !== expected.trimEnd()) {
      throw new Broken(`stop [${JSON.stringify(stop)}] gave ${quoted(text)}, not ${quoted(expected)}`);
    }
    return `stopped at ${JSON.stringify(stop)}`;
  },
};

const echoOff: Probe = {
  id: 'echo-off',
  title: 'Without echo_prompt, absent or false, the text does not hold the prompt',
  run: async (session) => {
    const { echo_prompt: _, ...absent } = helmRequest();
    for (const request of [absent, helmRequest()]) {
      const { text } = await session.complete(request);
      if (text.trimStart().startsWith(request.prompt)) {
        throw new Broken(
          `the prompt came back with echo_prompt ${'echo_prompt' in request ? 'false' : 'absent'}`,
        );
      }
    }
    return 'neither absent nor false brings the prompt back';
  },
};

const echoOn: Probe = {
  id: 'echo-on',
  title: 'With echo_prompt true the text begins with the prompt',
  run: async (session) => {
    const request = helmRequest({ echo_prompt: true, max_new_tokens: 1 });
    const { text } = await session.complete(request);
    if (!text.trimStart().startsWith(request.prompt)) throw new Broken(`the text is ${quoted(text)}`);
    return 'the prompt is there';
  },
};

const numberTypes: Probe = {
  id: 'number-types',
  title: 'Numbers may be whole or not: temperature 0 and 1.0, top_p 1 and 1.0',
  run: async (session) => {
    for (const [temperature, topP] of [
      ['0', '1.0'],
      ['1.0', '1'],
    ]) {
      const body = `{"prompt": "A", "temperature": ${temperature}, "top_p": ${topP}, "max_new_tokens": 2}`;
      await session.ask('/process', body, processResponseSchema);
    }
    return 'both forms are accepted';
  },
};

const unknownField: Probe = {
  id: 'unknown-field',
  title: 'A field that the server does not know is accepted',
  run: async (session) => {
    const body = JSON.stringify({ ...helmRequest(), a_field_nobody_knows: true });
    await session.ask('/process', body, processResponseSchema);
    return 'accepted';
  },
};

const parallel: Probe = {
  id: 'parallel',
  title: 'Four requests at once, as HELM sends them, get the answers that each gets alone',
  run: async (session) => {
    const requests = ['France', 'Peru', 'Chad', 'Japan'].map((country) =>
      helmRequest({ prompt: `Question: What is the capital of ${country}?\nAnswer:` }),
    );
    const together = await Promise.all(
      requests.map((request) => session.complete(request, { concurrent: true, patience: 2 })),
    );
    for (const [index, request] of requests.entries()) {
      const alone = await session.complete(request);
      const answer = together[index];
      if (answer && answer.text !== alone.text) {
        throw new Broken(
          `${quoted(request.prompt)} gave ${quoted(answer.text)}, alone ${quoted(alone.text)}`,
        );
      }
    }
    return 'all four answered as alone';
  },
};

function tokenizeBody(text: string, truncation = false, maxLength = 2048): string {
  return JSON.stringify({ text, truncation, max_length: maxLength });
}

const tokenize: Probe = {
  id: 'tokenize',
  title: '/tokenize returns one flat list of tokens, also for a body with nothing but the text',
  run: async (session) => {
    const text = 'The quick brown fox jumps over the lazy dog.';
    const { tokens } = await session.ask('/tokenize', tokenizeBody(text), tokenizeResponseSchema);
    if (tokens.length < 2) throw new Broken(`${quoted(text)} gave ${tokens.length} tokens`);
    await session.ask('/tokenize', JSON.stringify({ text }), tokenizeResponseSchema);
    return `${tokens.length} tokens`;
  },
};

const tokenizeTruncation: Probe = {
  id: 'tokenize-truncation',
  title: '/tokenize honours truncation and max_length; else HELM asks once for every character it cuts',
  run: async (session) => {
    const text = 'one two three four five six seven eight nine ten eleven twelve thirteen';
    const cut = await session.ask('/tokenize', tokenizeBody(text, true, 5), tokenizeResponseSchema);
    if (cut.tokens.length > 5) throw new Broken(`max_length 5 gave ${cut.tokens.length} tokens`);
    if (cut.tokens.length === 0) throw new Broken('max_length 5 gave no token at all');
    const whole = await session.ask('/tokenize', tokenizeBody(text, false, 5), tokenizeResponseSchema);
    if (whole.tokens.length <= 5) throw new Broken('the text was cut although truncation was false');
    return `${cut.tokens.length} of ${whole.tokens.length} tokens`;
  },
};

const tokenizeEmpty: Probe = {
  id: 'tokenize-empty',
  title: '/tokenize takes an empty text',
  run: async (session) => {
    const { tokens } = await session.ask('/tokenize', tokenizeBody(''), tokenizeResponseSchema);
    if (tokens.length > 2) throw new Broken(`an empty text gave ${tokens.length} tokens`);
    return `${tokens.length} tokens`;
  },
};

const roundTripTexts = [
  'Plain words, and a full stop.',
  ' a leading space',
  'two\n\nlines',
  'an emoji 🦊 and ünïcödé',
] as const;

const decodeRoundTrip: Probe = {
  id: 'decode-round-trip',
  title: '/decode gives back the very text that was tokenized; else HELM changes zero-shot prompts',
  run: async (session) => {
    for (const text of roundTripTexts) {
      const { tokens } = await session.ask('/tokenize', tokenizeBody(text), tokenizeResponseSchema);
      const decoded = await session.ask('/decode', JSON.stringify({ tokens }), decodeResponseSchema);
      if (decoded.text !== text) throw new Broken(`${quoted(text)} came back as ${quoted(decoded.text)}`);
    }
    return `${roundTripTexts.length} texts came back unchanged`;
  },
};

/** About 2000 tokens of text, by the server's own count where it has one. */
async function longText(session: CheckSession): Promise<{ text: string; tokens: number | undefined }> {
  const unit = ' The quick brown fox jumps over the lazy dog.';
  const count = async (repeats: number) =>
    (await session.ask('/tokenize', tokenizeBody(unit.repeat(repeats)), tokenizeResponseSchema)).tokens
      .length;
  try {
    const perUnit = ((await count(20)) - (await count(10))) / 10;
    if (perUnit < 1) return { text: unit.repeat(200), tokens: undefined };
    const text = unit.repeat(Math.floor(1990 / perUnit));
    const { tokens } = await session.ask('/tokenize', tokenizeBody(text), tokenizeResponseSchema);
    return { text, tokens: tokens.length };
  } catch (error) {
    if (!(error instanceof Broken)) throw error;
    return { text: unit.repeat(200), tokens: undefined };
  }
}

const longPrompt: Probe = {
  id: 'long-prompt',
  title: 'A prompt of about 2000 tokens with max_new_tokens 400 is answered',
  run: async (session) => {
    const { text, tokens } = await longText(session);
    const completion = await session.complete(helmRequest({ prompt: text, max_new_tokens: 400 }), {
      patience: 3,
    });
    const size = tokens === undefined ? `${text.length} characters` : `${tokens} tokens`;
    return `${size} of prompt, ${completion.tokens.length} tokens of answer`;
  },
};

const logprobs: Probe = {
  id: 'logprobs',
  title: 'Log-probabilities are finite, at most 0, and add up to logprob',
  run: async ({ completions }) => {
    if (completions.length === 0) throw new Broken('/process gave no answer to look at');
    let count = 0;
    for (const { echo, completion } of completions) {
      const sum = completion.tokens.reduce((total, { logprob }) => total + logprob, 0);
      count += completion.tokens.length;
      // With the prompt in it, a sum over the completion alone is right as well.
      const off = Math.abs(sum - completion.logprob);
      if (echo ? completion.logprob < sum - 0.01 : off > 0.01 + 1e-3 * Math.abs(sum)) {
        throw new Broken(`logprob is ${completion.logprob}, the tokens add up to ${sum}`);
      }
    }
    if (count === 0) throw new Broken('no answer had a token');
    return `${count} tokens in ${completions.length} answers`;
  },
};

const topLogprob: Probe = {
  id: 'top-logprob',
  title: 'top_logprob, where there is one, holds log-probabilities',
  run: async ({ completions }) => {
    const reported = completions
      .flatMap(({ completion }) => completion.tokens)
      .map((token) => token.top_logprob);
    const candidates = reported.filter((top) => top !== undefined);
    for (const top of candidates) {
      const wrong = Object.entries(top).find(([, logprob]) => !(Number.isFinite(logprob) && logprob <= 1e-6));
      if (wrong) throw new Broken(`the candidate ${quoted(wrong[0])} has ${wrong[1]}`);
    }
    return candidates.length === 0
      ? 'none reported; only HELM before February 2024 needs it'
      : `${candidates.length} tokens have it`;
  },
};

function requestTime(path: Path): Probe {
  return {
    id: `request-time-${path.slice(1)}`,
    title: `request_time of ${path} is the time in seconds that the request took`,
    run: async ({ timings }) => {
      const seen = timings[path];
      if (seen.length === 0) throw new Broken(`${path} gave no answer to look at`);
      for (const { requestTime: claimed, seconds } of seen) {
        if (claimed > seconds + 0.05 || claimed < 0.8 * seconds - 0.25) {
          throw new Broken(`request_time is ${claimed}, the request took ${seconds.toFixed(3)} s`);
        }
      }
      return `${seen.length} requests`;
    },
  };
}

/** All checks in their order: the cheap and telling ones first, those over all answers last. */
export const probes: readonly Probe[] = [
  healthBody,
  helmBody,
  deterministic,
  maxNewTokens,
  stopSequences,
  echoOff,
  echoOn,
  numberTypes,
  unknownField,
  parallel,
  tokenize,
  tokenizeTruncation,
  tokenizeEmpty,
  decodeRoundTrip,
  longPrompt,
  logprobs,
  topLogprob,
  requestTime('/process'),
  requestTime('/tokenize'),
  requestTime('/decode'),
];
