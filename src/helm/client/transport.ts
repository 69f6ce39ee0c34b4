import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest, Agent as SecureAgent } from 'node:https';
import { UserError } from '../../base/index.ts';

export interface Reply {
  readonly status: number;
  readonly statusText: string;
  readonly text: string;
}

/** No answer came: refused, reset, unknown host, timed out. */
export class NetworkError extends Error {
  /** Node's code: `ECONNREFUSED`, `ETIMEDOUT` … */
  readonly code: string;

  constructor(code: string, message: string, cause: unknown) {
    super(message, { cause });
    this.name = 'NetworkError';
    this.code = code;
  }
}

const meanings: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ENOTFOUND: 'the host is unknown',
  EAI_AGAIN: 'the host name cannot be looked up',
  ECONNRESET: 'the server closed the connection without an answer',
  EPIPE: 'the server closed the connection without an answer',
  EHOSTUNREACH: 'the host cannot be reached',
  ENETUNREACH: 'the network cannot be reached',
  ETIMEDOUT: 'no answer came in time',
};

/** No answer of a language model is this long; a server that sends more is broken. */
const maxReplyBytes = 256 * 2 ** 20;

/** The base URL without its trailing slashes, or a usage error that names it. */
export function normalizeUrl(url: string): string {
  const withScheme = /^[a-z][a-z0-9+.-]*:\/\//i.test(url) ? url : `http://${url}`;
  const parsed = URL.canParse(withScheme) ? new URL(withScheme) : undefined;
  if (!parsed || !/^https?:$/.test(parsed.protocol) || parsed.hostname === '') {
    throw new UserError(`"${url}" is not the URL of a server`, {
      place: { field: 'url' },
      remedy: 'Give a base URL such as http://127.0.0.1:8080.',
    });
  }
  return withScheme.replace(/\/+$/, '');
}

/** Posts JSON over connections that stay open, so that a request costs no handshake. */
export class Transport {
  readonly url: string;
  private readonly secure: boolean;
  private readonly agent: Agent;

  constructor(url: string, connections: number) {
    this.url = normalizeUrl(url);
    this.secure = this.url.startsWith('https:');
    const options = { keepAlive: true, maxSockets: connections, scheduling: 'lifo' as const };
    this.agent = this.secure ? new SecureAgent(options) : new Agent(options);
  }

  /**
   * @param timeout milliseconds without any byte from the server
   * @throws NetworkError when no answer comes, the signal's reason when it aborts
   */
  async post(path: string, body: string, timeout: number, signal?: AbortSignal): Promise<Reply> {
    try {
      return await this.send(path, body, timeout, signal);
    } catch (error) {
      // A kept connection may have been closed by the server in the moment it was used again.
      if (error instanceof NetworkError && error.code === 'ESTALE')
        return this.send(path, body, timeout, signal);
      throw error;
    }
  }

  close(): void {
    this.agent.destroy();
  }

  private send(path: string, body: string, timeout: number, signal?: AbortSignal): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const request = (this.secure ? httpsRequest : httpRequest)(`${this.url}${path}`, {
        method: 'POST',
        agent: this.agent,
        headers: {
          'Content-Type': 'application/json',
          Accept: '*/*',
          'Content-Length': Buffer.byteLength(body),
        },
        timeout,
        ...(signal ? { signal } : {}),
      });
      request.on('timeout', () => {
        request.destroy(
          Object.assign(new Error(`no answer within ${timeout / 1000} s`), { code: 'ETIMEDOUT' }),
        );
      });
      const fail = (error: NodeJS.ErrnoException) => {
        if (signal?.aborted) return reject(signal.reason);
        const code = error.code ?? 'EUNKNOWN';
        const stale = request.reusedSocket && (code === 'ECONNRESET' || code === 'EPIPE');
        reject(new NetworkError(stale ? 'ESTALE' : code, meanings[code] ?? error.message, error));
      };
      request.on('error', fail);
      request.on('response', (response: IncomingMessage) => {
        const chunks: Buffer[] = [];
        let bytes = 0;
        response.on('data', (chunk: Buffer) => {
          bytes += chunk.length;
          if (bytes > maxReplyBytes) request.destroy(new Error('the answer does not end'));
          else chunks.push(chunk);
        });
        response.on('error', fail);
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            statusText: response.statusMessage ?? '',
            text: Buffer.concat(chunks).toString('utf8'),
          }),
        );
      });
      request.end(body);
    });
  }
}
