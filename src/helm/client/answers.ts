import { parseLooseJson } from '../python/json.ts';
import type { Completion, Token } from '../spec.ts';

/**
 * Why a request has no usable answer. `message` names the URL, the field and what HELM would do with the answer;
 * `retry` says whether the same request may well succeed a moment later.
 */
export class AnswerError extends Error {
  readonly retry: 'often' | 'once' | 'never';
  /** HELM goes on without the answer where it is one of /tokenize or /decode. */
  readonly forgiven: boolean;

  constructor(
    message: string,
    retry: 'often' | 'once' | 'never',
    options: { readonly forgiven?: boolean; readonly cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
    this.name = 'AnswerError';
    this.retry = retry;
    this.forgiven = options.forgiven ?? false;
  }
}

export const helmRetriesProcess = 'HELM would try 5 times over 150 s, then lose the whole run';
const helmCrashes =
  'HELM would take the answer, then crash on it while computing metrics and lose the whole run';

type Fields = Readonly<Record<string, unknown>>;

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function describe(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  return `a ${typeof value}`;
}

/** The JSON object of an answer. `consequence` says what HELM would do without one. */
export function parseAnswer(text: string, url: string, consequence: string): Fields {
  let value: unknown;
  try {
    value = parseLooseJson(text);
  } catch (cause) {
    const start = text.trim().slice(0, 60);
    const what = start === '' ? 'nothing' : `no JSON but ${JSON.stringify(start)}`;
    throw new AnswerError(`${url} answered ${what}. ${consequence}`, 'often', { forgiven: true, cause });
  }
  if (!isFields(value)) {
    throw new AnswerError(`${url} answered ${describe(value)}, not an object. ${consequence}`, 'once');
  }
  return value;
}

/** A field that HELM's client reads; without it the client dies. */
export function requiredField(answer: Fields, field: string, url: string, at = ''): unknown {
  if (field in answer) return answer[field];
  throw new AnswerError(
    `The answer of ${url} has no "${at}${field}". HELM would stop with a KeyError and lose the whole run`,
    'once',
  );
}

function text(answer: Fields, field: string, url: string, at = ''): string {
  const value = requiredField(answer, field, url, at);
  if (typeof value === 'string') return value;
  throw new AnswerError(
    `"${at}${field}" in the answer of ${url} is ${describe(value)}, not text. ${helmCrashes}`,
    'never',
  );
}

function number(answer: Fields, field: string, url: string, at = ''): number {
  const value = requiredField(answer, field, url, at);
  if (typeof value === 'number') return value;
  throw new AnswerError(
    `"${at}${field}" in the answer of ${url} is ${describe(value)}, not a number. ${helmCrashes}`,
    'never',
  );
}

/** Reads an answer of /process as HELM does, but says at once what HELM would die of. */
export function parseCompletion(body: string, url: string): Completion {
  const answer = parseAnswer(body, url, helmRetriesProcess);
  const tokens = requiredField(answer, 'tokens', url);
  if (!Array.isArray(tokens)) {
    throw new AnswerError(
      `"tokens" in the answer of ${url} is ${describe(tokens)}, not a list. ${helmRetriesProcess}`,
      'once',
    );
  }
  const parsed = tokens.map((token: unknown, index): Token => {
    const at = `tokens[${index}].`;
    if (!isFields(token)) {
      const problem = `"tokens[${index}]" in the answer of ${url} is ${describe(token)}, not an object`;
      throw new AnswerError(`${problem}. HELM would stop with a TypeError and lose the whole run`, 'once');
    }
    return { text: text(token, 'text', url, at), logprob: number(token, 'logprob', url, at) };
  });
  return {
    text: text(answer, 'text', url),
    logprob: number(answer, 'logprob', url),
    tokens: parsed,
    request_time: number(answer, 'request_time', url),
  };
}
