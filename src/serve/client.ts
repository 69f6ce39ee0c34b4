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
    const deadline = AbortSignal.timeout(timeoutMs);
    const fail = (error: NodeJS.ErrnoException) => {
      const code = deadline.aborted ? 'ETIMEDOUT' : (error.code ?? 'ERROR');
      const late = `no answer within ${Math.round(timeoutMs / 1000)} s`;
      reject(new NoReply(deadline.aborted ? late : (networkMessages[code] ?? error.message), code));
    };
    const receive = (response: IncomingMessage) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('error', fail);
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          statusText: response.statusMessage ?? '',
          text: Buffer.concat(parts).toString('utf8'),
          seconds: (performance.now() - startedAt) / 1000,
        }),
      );
    };
    const send = url.startsWith('https:') ? httpsRequest : httpRequest;
    const request = send(
      url,
      {
        method,
        agent: false,
        headers: body === undefined ? {} : { 'content-type': 'application/json' },
        signal: signal ? AbortSignal.any([signal, deadline]) : deadline,
      },
      receive,
    );
    request.on('error', fail);
    request.end(body);
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
