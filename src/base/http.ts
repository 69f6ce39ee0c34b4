import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest, Agent as SecureAgent } from 'node:https';
import { UserError } from './errors.ts';

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
  /** Node's code, such as `ECONNREFUSED`; `ETIMEDOUT`, or `ABORTED` when the caller's signal was. */
  readonly code: string;

  constructor(message: string, code: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'NoReply';
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

/** No answer of a language model is this long; a server that sends more is broken. */
const maxReplyBytes = 256 * 2 ** 20;

export interface Call {
  readonly method?: 'GET' | 'POST';
  /** JSON text. */
  readonly body?: string;
  /** Until the last byte of the answer. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  /** Connections to use again, see {@link keepAlive}; a connection of its own unless told. */
  readonly agent?: Agent;
}

/** Connections to a server that stay open, so that a request costs no handshake. `destroy` closes them. */
export function keepAlive(url: string, connections: number): Agent {
  const options = { keepAlive: true, maxSockets: connections, scheduling: 'lifo' as const };
  return url.startsWith('https:') ? new SecureAgent(options) : new Agent(options);
}

/** One request. Throws {@link NoReply} when no whole answer comes in time, or when the caller's signal is aborted. */
export async function call(url: string, options: Call): Promise<Reply> {
  try {
    return await send(url, options);
  } catch (error) {
    if (!(error instanceof NoReply) || error.code !== staleConnection) throw error;
    // On a connection of its own, so that this cannot happen again.
    const { method, body, timeoutMs, signal } = options;
    return send(url, {
      timeoutMs,
      ...(method && { method }),
      ...(body === undefined ? {} : { body }),
      ...(signal && { signal }),
    });
  }
}

/** The server closed a kept connection in the moment in which it was used again: it has not seen the request. */
const staleConnection = 'STALE';

function send(url: string, options: Call): Promise<Reply> {
  const { method = 'POST', body, timeoutMs, signal, agent } = options;
  return new Promise((resolve, reject) => {
    let settled = false;
    let answered = false;
    const startedAt = performance.now();
    const open = url.startsWith('https:') ? httpsRequest : httpRequest;
    const headers =
      body === undefined
        ? {}
        : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
    const request = open(url, { method, agent: agent ?? false, headers });
    const release = () => {
      settled = true;
      clearTimeout(timer);
      signal?.removeEventListener('abort', cancel);
    };
    const fail = (error: NoReply) => {
      if (settled) return;
      release();
      reject(error);
      request.destroy();
    };
    const failed = (error: NodeJS.ErrnoException) => {
      const { code = 'ERROR' } = error;
      const stale = request.reusedSocket && !answered && (code === 'ECONNRESET' || code === 'EPIPE');
      fail(new NoReply(networkMessages[code] ?? error.message, stale ? staleConnection : code, error));
    };
    const cancel = () => fail(new NoReply('the request was cancelled', 'ABORTED'));
    const late = () => fail(new NoReply(`no answer within ${Math.round(timeoutMs / 1000)} s`, 'ETIMEDOUT'));
    const timer = setTimeout(late, timeoutMs);
    request.on('error', failed);
    request.on('response', (response: IncomingMessage) => {
      answered = true;
      const parts: Buffer[] = [];
      let bytes = 0;
      response.on('data', (part: Buffer) => {
        bytes += part.length;
        if (bytes > maxReplyBytes) fail(new NoReply('the answer does not end', 'ENDLESS'));
        else parts.push(part);
      });
      response.on('error', failed);
      response.on('end', () => {
        release();
        resolve({
          status: response.statusCode ?? 0,
          statusText: response.statusMessage ?? '',
          text: Buffer.concat(parts).toString('utf8'),
          seconds: (performance.now() - startedAt) / 1000,
        });
      });
    });
    if (signal?.aborted) return cancel();
    signal?.addEventListener('abort', cancel, { once: true });
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
