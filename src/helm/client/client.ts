import type { Agent } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  baseUrl,
  call,
  cancelledError,
  keepAlive,
  NoReply,
  type Reply,
  throwIfCancelled,
  UserError,
} from '../../base/index.ts';
import { processBody } from '../prompt/requests.ts';
import { type WindowTokenizer, windowTokens } from '../prompt/window.ts';
import { asciiString, inlineJson } from '../python/json.ts';
import type { Completion } from '../spec.ts';
import type { ProcessRequest } from '../types.ts';
import { AnswerError, helmRetriesProcess, parseAnswer, parseCompletion, requiredField } from './answers.ts';
import type { AnswerStore } from './store.ts';

/** HELM waits 10, 20, 40 and 80 s between its tries; a local server has recovered sooner or not at all. */
const waits: Readonly<Record<AnswerError['retry'], readonly number[]>> = {
  often: [250, 750, 2000],
  once: [250],
  never: [],
};

const processTimeout = 3_000_000;
const tokenizeTimeout = 60_000;
/** Together with a second and third try still within 15 s. */
const contactTimeout = 10_000;

const helmIgnoresTokenizer =
  'HELM would try 5 times over 30 s for every prompt, then take it to have no tokens';
const helmKeepsPrompt = 'HELM would try 5 times over 30 s for every such prompt, then send it uncut';

export interface ClientOptions {
  /** Requests at once. */
  readonly concurrency: number;
  readonly signal?: AbortSignal;
  /** Milliseconds that the first answer may take. */
  readonly contactTimeout?: number;
  /** Answers of /process kept for a later resume. */
  readonly store?: AnswerStore;
  /** What HELM would swallow silently; called once for each kind of trouble. */
  readonly onWarning?: (message: string) => void;
}

/**
 * HELM's client and tokenizer of `neurips/local`: the same bodies to the same three addresses, the same outcome of
 * what HELM forgives, and at once a clear failure for what it would die of.
 */
export class HelmClient implements WindowTokenizer {
  /** Answers of /process that came from the endpoint itself. */
  answered = 0;
  readonly url: string;
  private readonly agent: Agent;
  private readonly options: ClientOptions;
  private readonly warned = new Set<string>();

  constructor(url: string, options: ClientOptions) {
    this.url = baseUrl(url);
    this.agent = keepAlive(this.url, options.concurrency);
    this.options = options;
  }

  close(): void {
    this.agent.destroy();
  }

  /** Finds out within 15 s whether anything answers at the URL; throws a usage error otherwise. */
  async contact(): Promise<void> {
    const timeout = this.options.contactTimeout ?? contactTimeout;
    const body = tokenizeBody('', false, windowTokens);
    for (const wait of [300, 1000, undefined]) {
      try {
        await this.send('/tokenize', body, timeout);
        return;
      } catch (error) {
        if (!(error instanceof NoReply)) throw error;
        if (error.code === 'ETIMEDOUT' || wait === undefined) throw this.unreachable(error);
        await this.pause(wait);
      }
    }
  }

  private unreachable(error: NoReply): UserError {
    return new UserError(`The endpoint ${this.url} does not answer: ${error.message}`, {
      place: { url: this.url },
      remedy:
        'Start the server (`submission serve CHECKPOINT`) and give its base URL, such as http://127.0.0.1:8080.',
      cause: error,
    });
  }

  /** One completion. @throws AnswerError where there is none that HELM could use */
  async process(request: ProcessRequest): Promise<Completion> {
    const body = processBody(request);
    const url = `${this.url}/process`;
    const stored = await this.options.store?.find(body);
    if (stored !== undefined) return parseCompletion(stored, url);
    return this.retrying(async () => {
      const reply = await this.post('/process', body, processTimeout, helmRetriesProcess);
      const completion = parseCompletion(reply.text, url);
      this.answered++;
      await this.options.store?.keep(body, reply.text);
      return completion;
    });
  }

  async countTokens(text: string): Promise<number> {
    return (await this.tokenize(tokenizeBody(text, false, windowTokens))).length;
  }

  async cut(text: string, maxTokens: number): Promise<string> {
    const tokens = await this.tokenize(tokenizeBody(text, true, maxTokens));
    if (tokens.length > maxTokens) {
      const cost = 'so HELM asks once more for every character that it takes off a prompt';
      this.warn('truncation', `${this.url}/tokenize ignores "truncation" and "max_length", ${cost}`);
    }
    const body = `{"tokens": ${inlineJson(tokens)}}`;
    const decoded = await this.forgiving('/decode', body, helmKeepsPrompt);
    if (!decoded) return '';
    const result = requiredField(decoded, 'text', `${this.url}/decode`);
    requiredField(decoded, 'request_time', `${this.url}/decode`);
    return typeof result === 'string' ? result : '';
  }

  private async tokenize(body: string): Promise<readonly unknown[]> {
    const answer = await this.forgiving('/tokenize', body, helmIgnoresTokenizer);
    if (!answer) return [];
    const url = `${this.url}/tokenize`;
    const tokens = requiredField(answer, 'tokens', url);
    requiredField(answer, 'request_time', url);
    if (Array.isArray(tokens)) return tokens;
    throw new AnswerError(
      `"tokens" in the answer of ${url} is not a list. HELM would lose the whole run`,
      'once',
    );
  }

  /** An answer, or nothing where HELM goes on without one; what kills HELM is thrown. */
  private async forgiving(path: string, body: string, consequence: string) {
    try {
      return await this.retrying(async () => {
        const reply = await this.post(path, body, tokenizeTimeout, consequence);
        return parseAnswer(reply.text, `${this.url}${path}`, consequence);
      }, this.warned.has(path));
    } catch (error) {
      if (!(error instanceof AnswerError && error.forgiven)) throw error;
      this.warn(path, error.message);
      return undefined;
    }
  }

  private async post(path: string, body: string, timeout: number, consequence: string): Promise<Reply> {
    const url = `${this.url}${path}`;
    try {
      const reply = await this.send(path, body, timeout);
      if (reply.status < 400 && reply.status >= 200) return reply;
      const detail = reply.text.trim().slice(0, 120);
      const status = `${reply.status} ${reply.statusText}`.trim();
      // A refusal of the request itself will not change by asking again.
      const final = reply.status < 500 && ![408, 425, 429].includes(reply.status);
      throw new AnswerError(
        `${url} answered ${status}${detail ? ` (${detail})` : ''}. ${consequence}`,
        final ? 'once' : 'often',
        { forgiven: true },
      );
    } catch (error) {
      if (error instanceof NoReply) {
        throw new AnswerError(`${url} gave no answer: ${error.message}. ${consequence}`, 'often', {
          forgiven: true,
          cause: error,
        });
      }
      throw error;
    }
  }

  private async retrying<T>(ask: () => Promise<T>, giveUpAtOnce = false): Promise<T> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await ask();
      } catch (error) {
        if (!(error instanceof AnswerError)) throw error;
        const wait = giveUpAtOnce ? undefined : waits[error.retry][attempt];
        if (wait === undefined) throw error;
        await this.pause(wait);
      }
    }
  }

  private async pause(milliseconds: number): Promise<void> {
    const { signal } = this.options;
    await sleep(milliseconds, undefined, signal ? { signal } : {}).catch(() => undefined);
    throwIfCancelled(signal, 'The evaluation');
  }

  private send(path: string, body: string, timeoutMs: number): Promise<Reply> {
    const { signal } = this.options;
    const sent = call(`${this.url}${path}`, {
      body,
      timeoutMs,
      agent: this.agent,
      ...(signal && { signal }),
    });
    return sent.catch((error) => {
      throw signal?.aborted ? cancelledError('The evaluation') : error;
    });
  }

  private warn(kind: string, message: string): void {
    if (this.warned.has(kind)) return;
    this.warned.add(kind);
    this.options.onWarning?.(message);
  }
}

function tokenizeBody(text: string, truncation: boolean, maxLength: number): string {
  return `{"text": ${asciiString(text)}, "truncation": ${truncation}, "max_length": ${maxLength}}`;
}
