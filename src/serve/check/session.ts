import type { ZodType, z } from 'zod';
import { call, NoReply, type Reply, throwIfCancelled } from '../../base/index.ts';
import { type ProcessResponse, processResponseSchema } from '../contract.ts';
import type { ProcessRequest } from '../types.ts';

/** What a check found wrong. Its message is the check's detail. */
export class Broken extends Error {}

export type Path = '/process' | '/tokenize' | '/decode';

/** An answer that has the form of the contract, and how long it took to come. */
export interface Timing {
  /** What was asked, to ask it again. */
  readonly body: string;
  readonly requestTime: number;
  readonly seconds: number;
}

/** The eight fields with HELM's values for a zero-shot prompt. */
export function helmRequest(changes: Partial<ProcessRequest> = {}): ProcessRequest {
  return {
    prompt: 'Question: What is the capital of France?\nAnswer:',
    temperature: 1e-7,
    num_return_sequences: 1,
    max_new_tokens: 5,
    top_p: 1,
    echo_prompt: false,
    top_k_per_token: 5,
    stop_sequences: [],
    ...changes,
  };
}

export interface SessionOptions {
  readonly signal?: AbortSignal;
  /** Milliseconds for an answer of an address. */
  readonly timeouts: Readonly<Record<Path, number>>;
}

/** One run of the check: sends requests, and remembers what later checks look at again. */
export class CheckSession {
  /** Answers of /process, with the field `echo_prompt` of what was asked. */
  readonly completions: { readonly echo: boolean; readonly completion: ProcessResponse }[] = [];
  readonly timings: Readonly<Record<Path, Timing[]>> = { '/process': [], '/tokenize': [], '/decode': [] };
  private readonly base: string;
  private readonly options: SessionOptions;
  /** Addresses that let a request time out: waiting for each further one would take hours. */
  private readonly hanging = new Map<Path, string>();

  constructor(base: string, options: SessionOptions) {
    this.base = base;
    this.options = options;
  }

  /** A completion in the form that HELM needs; {@link Broken} otherwise. */
  async complete(request: Partial<ProcessRequest> & { readonly prompt: string }, more: AskOptions = {}) {
    const completion = await this.ask('/process', JSON.stringify(request), processResponseSchema, more);
    this.completions.push({ echo: request.echo_prompt === true, completion });
    return completion;
  }

  /** An answer of the given form; {@link Broken} with what is wrong otherwise. */
  async ask<T extends { request_time: number }>(
    path: Path,
    body: string,
    schema: ZodType<T>,
    more: AskOptions = {},
  ): Promise<T> {
    const reply = await this.send(path, body, more.patience ?? 1);
    const value = parseJson(reply.text, path);
    const result = schema.safeParse(value);
    // A number out of its range has checks of its own, so that this one is not the one to blame.
    const wrong = result.error?.issues.find((issue) => !isRange(issue, valueAt(value, issue.path)));
    if (wrong) throw new Broken(`${path} answered ${describeIssue(wrong, value)}`);
    const answer = value as T;
    // Requests that wait for others measure the others, too.
    if (!more.concurrent) {
      this.timings[path].push({ body, requestTime: answer.request_time, seconds: reply.seconds });
    }
    return answer;
  }

  /** Asks again what was asked before, for another look at its time. */
  async again(path: Path, { body }: Timing): Promise<Timing> {
    const reply = await this.send(path, body, 1);
    const answer = parseJson(reply.text, path);
    return { body, requestTime: Number(valueAt(answer, ['request_time'])), seconds: reply.seconds };
  }

  private async send(path: Path, body: string, patience: number): Promise<Reply> {
    const { signal, timeouts } = this.options;
    throwIfCancelled(signal, 'The check');
    const hanging = this.hanging.get(path);
    if (hanging !== undefined) throw new Broken(`not tried: ${path} gave ${hanging} before`);
    const timeoutMs = timeouts[path] * patience;
    try {
      const reply = await call(`${this.base}${path}`, { body, timeoutMs, ...(signal && { signal }) });
      // HELM takes every status below 400 for success.
      if (reply.status >= 200 && reply.status < 400) return reply;
      const detail = reply.text.trim().replace(/\s+/g, ' ').slice(0, 160);
      throw new Broken(
        `${path} answered ${reply.status} ${reply.statusText}${detail ? `: ${detail}` : ''}`.trim(),
      );
    } catch (error) {
      throwIfCancelled(signal, 'The check');
      if (!(error instanceof NoReply)) throw error;
      if (error.code === 'ETIMEDOUT') this.hanging.set(path, error.message);
      throw new Broken(`${path} gave no answer: ${error.message}`);
    }
  }
}

export interface AskOptions {
  /** Sent while others are under way. */
  readonly concurrent?: boolean;
  /** Times as long as others it may take. */
  readonly patience?: number;
}

/** Stands for NaN on its way through the parser. */
const notANumber = '\u0000NaN';

/** Parses an answer; the literals NaN and Infinity, which Python writes, are read as what they stand for. */
function parseJson(text: string, path: Path): unknown {
  try {
    return JSON.parse(text);
  } catch {
    const literals = text.replace(
      /([:[,]\s*)(NaN|-?Infinity)(?=\s*[,}\]])/g,
      (_, before: string, literal: string) =>
        `${before}${literal === 'NaN' ? JSON.stringify(notANumber) : literal.replace('Infinity', '1e999')}`,
    );
    try {
      return JSON.parse(literals, (_, part: unknown) => (part === notANumber ? Number.NaN : part));
    } catch {
      const start = text.trim().slice(0, 60);
      throw new Broken(
        `${path} answered ${start === '' ? 'nothing' : `no JSON but ${JSON.stringify(start)}`}`,
      );
    }
  }
}

/** Whether a number stands where one belongs, and only its size is wrong; NaN and Infinity count as sizes. */
function isRange(issue: z.core.$ZodIssue, found: unknown): boolean {
  if (typeof found !== 'number') return false;
  if (issue.code === 'too_small' || issue.code === 'too_big') return true;
  return issue.code === 'invalid_type' && issue.expected === 'number';
}

interface Issue {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

function valueAt(answer: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, key) => (typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined),
    answer,
  );
}

/** A problem of an answer in words: the field, and what is there instead. */
function describeIssue({ path, message }: Issue, answer: unknown): string {
  const found = valueAt(answer, path);
  const field = path.map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`)).join('');
  if (field === '') return `${shown(answer)}, not a JSON object with the fields of the contract`;
  return found === undefined
    ? `without the field ${field.slice(1)}`
    : `${field.slice(1)} = ${shown(found)} (${message})`;
}

function shown(value: unknown): string {
  if (typeof value === 'number') return String(value);
  return (JSON.stringify(value) ?? 'nothing').slice(0, 60);
}
