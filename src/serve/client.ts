import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { UserError } from '../base/index.ts';

/** An HTTP answer, whatever its status. */
export interface Reply {
  readonly status: number;
  readonly statusText: string;
  readonly text: string;
  /** From sending to the last byte. */
  readonly seconds: number;
}

/** Why there is no HTTP answer. */
export class NoReply extends Error {
  readonly code: string;

  constructor(message: string, code: string) {
    super(message);
    this.code = code;
  }
}

const networkMessages: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'the connection was closed without an answer',
  EPIPE: 'the connection was closed without an answer',
  ENOTFOUND: 'there is no such host',
  EAI_AGAIN: 'the name of the host cannot be resolved',
  EHOSTUNREACH: 'the host cannot be reached',
  ENETUNREACH: 'the network cannot be reached',
};

export interface Call {
  readonly method?: 'GET' | 'POST';
  /** JSON text. */
  readonly body?: string;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/**
 * One request on a connection of its own, as HELM's client makes them. Throws {@link NoReply} when nothing answers in
 * time; that the caller's signal was aborted shows as NoReply too.
 */
export function call(url: string, { method = 'POST', body, timeoutMs, signal }: Call): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const startedAt = performance.now();
    const send = url.startsWith('https:') ? httpsRequest : httpRequest;
    const headers = body === undefined ? {} : { 'content-type': 'application/json' };
    const request = send(url, { method, agent: false, headers });
    const settle = (reply: Reply | NoReply) => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', cancel);
      request.destroy();
      if (reply instanceof NoReply) reject(reply);
      else resolve(reply);
    };
    const fail = ({ code = 'ERROR', message }: NodeJS.ErrnoException) =>
      settle(new NoReply(networkMessages[code] ?? message, code));
    const cancel = () => settle(new NoReply('the request was cancelled', 'ABORTED'));
    const late = () => settle(new NoReply(`no answer within ${Math.round(timeoutMs / 1000)} s`, 'ETIMEDOUT'));
    const timer = setTimeout(late, timeoutMs);
    const receive = (response: IncomingMessage) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('error', fail);
      response.on('end', () =>
        settle({
          status: response.statusCode ?? 0,
          statusText: response.statusMessage ?? '',
          text: Buffer.concat(parts).toString('utf8'),
          seconds: (performance.now() - startedAt) / 1000,
        }),
      );
    };
    request.on('response', receive);
    request.on('error', fail);
    if (signal?.aborted) cancel();
    else {
      signal?.addEventListener('abort', cancel, { once: true });
      request.end(body);
    }
  });
}

/** A base URL as a person types it: with `http://` where no scheme is given, without slashes at its end. */
export function baseUrl(text: string): string {
  const full = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`;
  const parsed = URL.canParse(full) ? new URL(full) : undefined;
  if (!parsed || !/^https?:$/.test(parsed.protocol) || parsed.hostname === '') {
    throw new UserError(`${JSON.stringify(text)} is no URL of a server`, {
      place: { field: 'url' },
      remedy: 'Give its base URL, such as http://127.0.0.1:8080.',
    });
  }
  return `${parsed.origin}${parsed.pathname}`.replace(/\/+$/, '');
}
