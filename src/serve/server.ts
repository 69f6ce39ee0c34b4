import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { basename } from 'node:path';
import type { z } from 'zod';
import { type Log, UserError } from '../base/index.ts';
import type { GeneratedToken, LanguageModel } from '../model/index.ts';
import {
  type DecodeResponse,
  decodeRequestSchema,
  type Health,
  openApi,
  type ProcessResponse,
  processRequestSchema,
  type TokenizeResponse,
  tokenizeRequestSchema,
} from './contract.ts';
import { HttpError, readJson, sendError, sendJson } from './http.ts';

type Timed<T> = Omit<T, 'request_time'>;
type Answer = Timed<ProcessResponse> | Timed<TokenizeResponse> | Timed<DecodeResponse>;
type Work = (request: IncomingMessage, signal: AbortSignal) => Promise<Answer>;

/** How long answers under way are waited for when the server stops. */
const stopGrace = 2000;

/** HTTP in front of one model: the challenge's three addresses, /health and /openapi.json. */
export class ContractServer {
  private readonly http: Server;
  private readonly checkpoint: string;
  private readonly log: Log;
  private readonly work: Readonly<Record<string, Work>>;
  private model: LanguageModel | undefined;
  private dead = false;
  private stopping = false;
  private active = 0;

  constructor(checkpoint: string, log: Log) {
    this.checkpoint = checkpoint;
    this.log = log;
    this.work = {
      '/process': (request, signal) => this.process(request, signal),
      '/tokenize': (request) => this.tokenize(request),
      '/decode': (request) => this.decode(request),
    };
    this.http = createServer((request, response) => void this.answer(request, response));
    // Longer than clients keep unused connections, so that it is never us who closes one that is being used again.
    this.http.keepAliveTimeout = 120_000;
  }

  /** Begins to listen and returns the base URL. Throws a usage error when the address cannot be had. */
  async listen(host: string, port: number): Promise<string> {
    try {
      this.http.listen(port, host);
      await once(this.http, 'listening');
    } catch (error) {
      throw listenError(error, host, port);
    }
    const { port: taken } = this.http.address() as AddressInfo;
    // "All addresses" is none that a client can ask.
    const name = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
    return `http://${name.includes(':') ? `[${name}]` : name}:${taken}`;
  }

  /** From now on requests are answered by `model`. */
  serve(model: LanguageModel): void {
    this.model = model;
    void model.exited.then(() => {
      this.dead = true;
    });
  }

  /** Takes no new requests, waits a moment for those under way, and closes all connections. */
  async stop(): Promise<void> {
    if (!this.http.listening) return;
    this.stopping = true;
    const closed = once(this.http, 'close');
    this.http.close();
    this.http.closeIdleConnections();
    // Again and again: a connection that was accepted last may show up late.
    const timer = setInterval(() => this.http.closeAllConnections(), this.active > 0 ? stopGrace : 20);
    await closed;
    clearInterval(timer);
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const startedAt = performance.now();
    const gone = new AbortController();
    response.once('close', () => {
      gone.abort();
      // The connection of the last answer is not kept for more.
      if (this.stopping) this.http.closeIdleConnections();
    });
    try {
      // HELM appends "/process" to the base URL as it is, so one with a slash at its end gives "//process".
      const path = (request.url ?? '/').replace(/[?#].*$/s, '').replace(/^\/+/, '/');
      const work = Object.hasOwn(this.work, path) ? this.work[path] : undefined;
      if (work) {
        requireMethod(request, path, 'POST');
        this.active++;
        const answer = await work(request, gone.signal).finally(() => this.active--);
        sendJson(response, 200, { ...answer, request_time: (performance.now() - startedAt) / 1000 });
      } else if (path === '/health') {
        requireMethod(request, path, 'GET');
        const health = this.health();
        sendJson(response, health.status === 'ok' ? 200 : 503, health);
      } else if (path === '/openapi.json') {
        requireMethod(request, path, 'GET');
        sendJson(response, 200, openApi('1'));
      } else {
        const paths = [...Object.keys(this.work), '/health', '/openapi.json'].join(', ');
        throw new HttpError(404, `There is no ${path} here, but ${paths}`);
      }
    } catch (error) {
      if (gone.signal.aborted) return;
      if (!(error instanceof HttpError)) this.log.error(`${request.method} ${request.url} failed`, error);
      sendError(response, error);
    }
  }

  private health(): Health {
    const model = this.model;
    return {
      status: this.dead ? 'failed' : model ? 'ok' : 'loading',
      model: basename(this.checkpoint),
      ...(model && {
        architecture: model.architecture,
        provider: model.provider,
        context_tokens: model.contextTokens,
      }),
      waiting: this.active,
    };
  }

  private ready(): LanguageModel {
    if (!this.model) throw new HttpError(503, 'The model is still loading');
    return this.model;
  }

  private async process(request: IncomingMessage, signal: AbortSignal): Promise<Timed<ProcessResponse>> {
    const body = await readJson(request, processRequestSchema);
    const model = this.ready();
    const { text, tokens, promptTokens } = await model.generate(toGenerate(body, model), { signal });
    const all = [...promptTokens, ...tokens];
    return {
      text: body.echo_prompt ? body.prompt + text : text,
      tokens: all.map(toToken),
      logprob: all.reduce((sum, { logprob }) => sum + logprob, 0),
    };
  }

  private async tokenize(request: IncomingMessage): Promise<Timed<TokenizeResponse>> {
    const { text, truncation, max_length: maxLength } = await readJson(request, tokenizeRequestSchema);
    return { tokens: this.ready().tokenize(text, truncation ? maxLength : undefined) };
  }

  private async decode(request: IncomingMessage): Promise<Timed<DecodeResponse>> {
    const { tokens } = await readJson(request, decodeRequestSchema);
    return { text: this.ready().decode(tokens) };
  }
}

function toGenerate(body: z.infer<typeof processRequestSchema>, model: LanguageModel) {
  return {
    tokens: model.tokenize(body.prompt),
    maxNewTokens: body.max_new_tokens,
    temperature: body.temperature,
    topP: body.top_p,
    topK: body.top_k_per_token,
    stop: body.stop_sequences,
    echo: body.echo_prompt,
    ...(typeof body.seed === 'number' ? { seed: body.seed } : {}),
  };
}

function toToken({ text, logprob, top }: GeneratedToken) {
  // Two tokens can be spelled alike; the first is the likelier one.
  const candidates = new Map<string, number>();
  for (const candidate of top) {
    if (!candidates.has(candidate.text)) candidates.set(candidate.text, candidate.logprob);
  }
  return { text, logprob, top_logprob: Object.fromEntries(candidates) };
}

function requireMethod(request: IncomingMessage, path: string, method: 'GET' | 'POST'): void {
  if (request.method === method || (method === 'GET' && request.method === 'HEAD')) return;
  throw new HttpError(405, `${path} takes ${method}, not ${request.method}`, { allow: method });
}

function listenError(cause: unknown, host: string, port: number): unknown {
  const place = { url: `http://${host}:${port}` };
  switch ((cause as NodeJS.ErrnoException).code) {
    case 'EADDRINUSE':
      return new UserError(`The port ${port} is in use`, {
        place,
        remedy: `Stop what listens there, or choose another port, such as --port ${port === 65535 ? port - 1 : port + 1}.`,
        cause,
      });
    case 'EACCES':
      return new UserError(`The port ${port} is reserved for administrators`, {
        place,
        remedy: 'Choose a port from 1024 on.',
        cause,
      });
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new UserError(`${host} is no address of this machine`, {
        place,
        remedy: 'Use --host 127.0.0.1, or 0.0.0.0 for all addresses.',
        cause,
      });
    default:
      return cause;
  }
}
