// Servers that each break one thing, and which checks must notice.
import { Refusal, type ToyChanges, type ToyRequest } from '../../support/toy-server.ts';

/** The checks that ask /process for a completion in the contract's form. */
const processChecks = [
  ...['health-body', 'helm-body', 'deterministic', 'max-new-tokens', 'stop-sequences', 'echo-off', 'echo-on'],
  ...['number-types', 'unknown-field', 'parallel', 'long-prompt'],
];
export const withoutAnswers = [...processChecks, 'logprobs', 'request-time-process'];
const tokenizeChecks = ['tokenize', 'tokenize-truncation', 'tokenize-empty', 'decode-round-trip'];

interface Defect {
  readonly changes: ToyChanges;
  /** Exactly these checks fail. */
  readonly fails: readonly string[];
  /** What the first of them says. */
  readonly says: RegExp;
}

export const refuse = (status: number, message?: string): never => {
  throw new Refusal(status, message);
};

let calls = 0;
let active = 0;

export const defects: Record<string, Defect> = {
  '/process without request_time': {
    changes: { time: { '/process': undefined } },
    fails: withoutAnswers,
    says: /without the field request_time/,
  },
  'request_time as text': {
    changes: { time: { '/process': '0.1' } },
    fails: withoutAnswers,
    says: /request_time = "0.1"/,
  },
  'tokens as plain texts': {
    changes: { process: (request, good) => ({ ...good(request), tokens: ['a', 'b'] }) },
    fails: withoutAnswers,
    says: /tokens\[0\] = "a"/,
  },
  'text null': {
    changes: { process: (request, good) => ({ ...good(request), text: null }) },
    fails: withoutAnswers,
    says: /text = null/,
  },
  'a number as the text': {
    changes: { process: (request, good) => ({ ...good(request), text: 5 }) },
    fails: withoutAnswers,
    says: /text = 5/,
  },
  'a number as the completion’s tokens': {
    changes: { process: (request, good) => ({ ...good(request), tokens: 5 }) },
    fails: withoutAnswers,
    says: /tokens = 5/,
  },
  'a number as the tokens of /tokenize': {
    changes: { tokenize: () => ({ tokens: 5 }) },
    fails: [...tokenizeChecks, 'request-time-tokenize', 'request-time-decode'],
    says: /tokens = 5/,
  },
  'logprob null, as FastAPI writes NaN': {
    changes: { process: (request, good) => ({ ...good(request), logprob: null }) },
    fails: withoutAnswers,
    says: /logprob = null/,
  },
  'a wrapped answer': {
    changes: { process: (request, good) => ({ data: good(request) }) },
    fails: withoutAnswers,
    says: /without the field text/,
  },
  'HTTP 500 from /process': {
    changes: { process: () => refuse(500, 'CUDA out of memory') },
    fails: withoutAnswers,
    says: /\/process answered 500 Internal Server Error.*CUDA out of memory/,
  },
  'no JSON at all': {
    changes: { stringify: () => '<html>Bad Gateway</html>' },
    fails: [...withoutAnswers, ...tokenizeChecks, 'request-time-tokenize', 'request-time-decode'],
    says: /no JSON but "<html>/,
  },
  'echo_prompt mandatory, as pydantic 2 has it': {
    changes: {
      process: (request, good) => ('echo_prompt' in request ? good(request) : refuse(422, 'Field required')),
    },
    fails: ['health-body', 'echo-off', 'number-types'],
    says: /422/,
  },
  'another answer each time': {
    changes: {
      process: (request, good) => ({ ...good({ ...request, prompt: `${request.prompt}${calls++}` }) }),
    },
    fails: ['deterministic', 'stop-sequences', 'parallel'],
    says: /the same request gave/,
  },
  'max_new_tokens ignored': {
    changes: { process: (request, good) => good({ ...request, max_new_tokens: 70 }) },
    fails: ['max-new-tokens'],
    says: /70 tokens came where 1 were allowed/,
  },
  'stop sequences ignored': {
    changes: { process: (request, good) => good({ ...request, stop_sequences: [] }) },
    fails: ['stop-sequences'],
    says: /stop \["\\n"\] gave/,
  },
  'stop sequences kept in the text': {
    changes: {
      process: (request, good) => {
        const whole = good(request);
        const [stop] = request.stop_sequences ?? [];
        return { ...whole, text: String(whole.text) + (stop ?? '') };
      },
    },
    fails: ['stop-sequences'],
    says: /stop/,
  },
  'only the new line stops': {
    changes: {
      process: (request, good) => {
        const stops = request.stop_sequences?.filter((stop) => stop === '\n') ?? [];
        return good({ ...request, stop_sequences: stops });
      },
    },
    fails: ['stop-sequences'],
    says: /gave/,
  },
  'a stop sequence empties the text': {
    changes: {
      process: (request, good) =>
        request.stop_sequences?.length ? { ...good(request), text: '' } : good(request),
    },
    fails: ['stop-sequences'],
    says: /gave "", not/,
  },
  'the prompt comes back unless echo_prompt is false': {
    changes: { process: (request, good) => good({ ...request, echo_prompt: request.echo_prompt ?? true }) },
    fails: ['echo-off'],
    says: /echo_prompt absent/,
  },
  'the prompt always comes back': {
    changes: {
      process: (request, good) => ({ ...good(request), text: request.prompt + String(good(request).text) }),
    },
    fails: ['echo-off', 'stop-sequences'],
    says: /stop/,
  },
  'echo_prompt ignored': {
    changes: { process: (request, good) => good({ ...request, echo_prompt: false }) },
    fails: ['echo-on'],
    says: /the text is/,
  },
  'temperature 0 refused': {
    changes: { process: (request, good) => (request.temperature === 0 ? refuse(422) : good(request)) },
    fails: ['number-types'],
    says: /422/,
  },
  'unknown fields forbidden': {
    changes: {
      process: (request, good) => ('a_field_nobody_knows' in request ? refuse(422, 'extra') : good(request)),
    },
    fails: ['unknown-field'],
    says: /422/,
  },
  'requests that get mixed up under load': {
    changes: {
      process: async (request: ToyRequest, good) => {
        active++;
        await new Promise((resolve) => setTimeout(resolve, 20));
        const mixed = active > 1 ? { ...request, prompt: 'somebody else’s' } : request;
        active--;
        return good(mixed);
      },
    },
    fails: ['parallel'],
    says: /alone/,
  },
  'a batch of one around the tokens': {
    changes: { tokenize: ({ text }, good) => ({ tokens: [good(text)] }) },
    fails: [...tokenizeChecks, 'request-time-tokenize', 'request-time-decode'],
    says: /tokens\[0\] = \[84,/,
  },
  'truncation ignored': {
    changes: { tokenize: ({ text }, good) => ({ tokens: good(text) }) },
    fails: ['tokenize-truncation'],
    says: /max_length 5 gave 71 tokens/,
  },
  'truncation always on': {
    changes: { tokenize: ({ text, max_length: limit }, good) => ({ tokens: good(text, limit) }) },
    fails: ['tokenize-truncation'],
    says: /although truncation was false/,
  },
  'truncation mandatory': {
    changes: {
      tokenize: ({ text, truncation, max_length: limit }, good) =>
        truncation === undefined ? refuse(422) : { tokens: good(text, truncation ? limit : undefined) },
    },
    fails: ['tokenize'],
    says: /422/,
  },
  'an empty text refused': {
    changes: {
      tokenize: ({ text, truncation, max_length: limit }, good) =>
        text === '' ? refuse(500) : { tokens: good(text, truncation ? limit : undefined) },
    },
    fails: ['tokenize-empty'],
    says: /500/,
  },
  'no /decode': {
    changes: { decode: () => refuse(404, 'Not Found') },
    fails: ['decode-round-trip', 'request-time-decode'],
    says: /\/decode answered 404/,
  },
  '/decode that strips': {
    changes: { decode: ({ tokens }, good) => ({ text: good(tokens).trim() }) },
    fails: ['decode-round-trip'],
    says: /" a leading space" came back as "a leading space"/,
  },
  'a long prompt refused': {
    changes: {
      process: (request, good) => (request.prompt.length > 1000 ? refuse(500, 'too long') : good(request)),
    },
    fails: ['long-prompt'],
    says: /too long/,
  },
  'positive log-probabilities': {
    changes: {
      process: (request, good) => {
        const whole = good(request);
        return { ...whole, tokens: whole.tokens.map((token) => ({ ...token, logprob: 0.5 })), logprob: 1 };
      },
    },
    fails: ['logprobs'],
    says: /logprob/,
  },
  'a sum that is none': {
    changes: { process: (request, good) => ({ ...good(request), logprob: -1000 }) },
    fails: ['logprobs'],
    says: /add up to/,
  },
  'NaN as Python writes it': {
    changes: {
      process: (request, good) => ({ ...good(request), logprob: 'NAN' }),
      stringify: (answer) => JSON.stringify(answer).replaceAll('"NAN"', 'NaN'),
    },
    fails: ['logprobs'],
    says: /NaN/,
  },
  '-Infinity as Python writes it': {
    changes: {
      process: (request, good) => {
        const whole = good(request);
        return {
          ...whole,
          tokens: whole.tokens.map((token) => ({ ...token, logprob: 'LOW' })),
          logprob: 'LOW',
        };
      },
      stringify: (answer) => JSON.stringify(answer).replaceAll('"LOW"', '-Infinity'),
    },
    fails: ['logprobs'],
    says: /Infinity/,
  },
  'candidates with probabilities instead of their logarithms': {
    changes: {
      process: (request, good) => {
        const whole = good(request);
        return { ...whole, tokens: whole.tokens.map((token) => ({ ...token, top_logprob: { x: 0.9 } })) };
      },
    },
    fails: ['top-logprob'],
    says: /"x" has 0.9/,
  },
  'request_time that is the last token': {
    changes: { time: { '/process': 3681 } },
    fails: ['request-time-process'],
    says: /request_time is 3681/,
  },
  'a negative request_time': {
    changes: { time: { '/tokenize': -1 } },
    fails: ['request-time-tokenize'],
    says: /request_time is -1/,
  },
  'a request_time of nothing for something slow': {
    changes: { time: { '/decode': 0 }, delay: { '/decode': 400 } },
    fails: ['request-time-decode'],
    says: /request_time is 0/,
  },
};
