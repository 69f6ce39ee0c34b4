// A little server that keeps the challenge's contract with a made-up model, so that tests can break one thing at a
// time and see who notices.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

export interface ToyRequest {
  readonly prompt: string;
  readonly max_new_tokens?: number;
  readonly temperature?: number;
  readonly echo_prompt?: boolean;
  readonly stop_sequences?: readonly string[];
}

export interface ToyToken {
  text: unknown;
  logprob: unknown;
  top_logprob?: Record<string, unknown>;
}

export interface ToyCompletion {
  text: unknown;
  tokens: ToyToken[];
  logprob: unknown;
}

/** What a test changes. Each takes the place of what the good server does. */
export interface ToyChanges {
  readonly process?: (request: ToyRequest, good: (request: ToyRequest) => ToyCompletion) => unknown;
  readonly tokenize?: (
    request: { text: string; truncation?: boolean; max_length?: number },
    good: (text: string, limit?: number) => number[],
  ) => unknown;
  readonly decode?: (request: { tokens: number[] }, good: (tokens: number[]) => string) => unknown;
  /** Takes the request before all else; true when it has seen to it. */
  readonly raw?: (request: IncomingMessage, response: ServerResponse) => boolean;
  /** request_time instead of the true one. */
  readonly time?: Partial<Record<string, unknown>>;
  /** Milliseconds that each address takes. */
  readonly delay?: Partial<Record<string, number | (() => number)>>;
  /** Turns an answer into the text that is sent. */
  readonly stringify?: (answer: unknown) => string;
}

/** A refusal with a status. */
export class Refusal extends Error {
  readonly status: number;
  constructor(status: number, message = 'refused') {
    super(message);
    this.status = status;
  }
}

const story =
  'lorem ipsum dolor\nsit amet, consectetur adipiscing elit sed do eiusmod tempor\nincididunt ut ';

/** Goes on with a made-up story, from a place that depends on the prompt. */
export function toyCompletion(request: ToyRequest): ToyCompletion {
  const {
    prompt,
    max_new_tokens: limit = 50,
    echo_prompt: echo = false,
    stop_sequences: stops = [],
  } = request;
  const start = [...prompt].reduce((sum, letter) => sum + (letter.codePointAt(0) ?? 0), 0);
  let written = '';
  for (let i = 0; i < limit; i++) written += story[(start + i) % story.length] ?? '';
  const cuts = stops.map((stop) => written.indexOf(stop)).filter((at) => at >= 0);
  const completion = written.slice(0, Math.min(written.length, ...cuts));
  const spelled = echo ? prompt + completion : completion;
  const tokens = Array.from(spelled, (letter) => ({
    text: letter,
    logprob: -0.5,
    top_logprob: { [letter]: -0.5, '?': -2 },
  }));
  return { text: spelled, tokens, logprob: tokens.length * -0.5 };
}

function answerOf(path: string, body: Record<string, unknown>, changes: ToyChanges): unknown {
  const encode = (letters: string, limit?: number) =>
    Array.from(letters, (letter) => letter.codePointAt(0) ?? 0).slice(0, limit);
  const decode = (tokens: number[]) => String.fromCodePoint(...tokens);
  if (path === '/process') {
    const request = body as unknown as ToyRequest;
    return changes.process ? changes.process(request, toyCompletion) : toyCompletion(request);
  }
  if (path === '/tokenize') {
    const request = body as { text: string; truncation?: boolean; max_length?: number };
    if (changes.tokenize) return changes.tokenize(request, encode);
    return { tokens: encode(request.text, request.truncation ? request.max_length : undefined) };
  }
  if (path === '/decode') {
    const request = body as { tokens: number[] };
    return changes.decode ? changes.decode(request, decode) : { text: decode(request.tokens) };
  }
  throw new Refusal(404, 'Not Found');
}

/** Starts the server; it is closed when the test ends. Returns its base URL. */
export async function toyServer(t: TestContext, changes: ToyChanges = {}): Promise<string> {
  const server = createServer(async (request, response) => {
    const startedAt = performance.now();
    const send = (status: number, answer: unknown) => {
      response.statusCode = status;
      response.end(changes.stringify ? changes.stringify(answer) : JSON.stringify(answer));
    };
    if (changes.raw?.(request, response)) return;
    try {
      const path = request.url ?? '/';
      const body = request.method === 'POST' ? JSON.parse(await text(request)) : {};
      const answer = await answerOf(path, body, changes);
      const delay = changes.delay?.[path];
      if (delay !== undefined) await sleep(typeof delay === 'function' ? delay() : delay);
      const time =
        changes.time && path in changes.time ? changes.time[path] : (performance.now() - startedAt) / 1000;
      send(200, { ...(answer as object), ...(time === undefined ? {} : { request_time: time }) });
    } catch (error) {
      send(error instanceof Refusal ? error.status : 500, { detail: String(error) });
    }
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
