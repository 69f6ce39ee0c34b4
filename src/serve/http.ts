import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ZodType } from 'zod';
import { describeError, failureKind, parseWith, UserError } from '../base/index.ts';

/** Bytes of a request at most: the longest prompts of the challenge take some ten thousand. */
const bodyLimit = 16 * 2 ** 20;

/** An answer other than 200. */
export class HttpError extends Error {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, detail: string, headers: Readonly<Record<string, string>> = {}) {
    super(detail);
    this.status = status;
    this.headers = headers;
  }
}

async function readBody(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let bytes = 0;
  // Without destroying, the refusal can still be sent; the connection is closed after it.
  for await (const part of request.iterator({ destroyOnReturn: false })) {
    bytes += (part as Buffer).length;
    if (bytes > bodyLimit) {
      throw new HttpError(413, `The request is larger than ${bodyLimit} bytes`, { connection: 'close' });
    }
    parts.push(part as Buffer);
  }
  return Buffer.concat(parts).toString('utf8');
}

/** Reads a JSON body of the given form, whatever its Content-Type says. */
export async function readJson<T>(request: IncomingMessage, schema: ZodType<T>): Promise<T> {
  const text = await readBody(request);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new HttpError(400, text.trim() === '' ? 'The request has no body' : `The body is not JSON: ${why}`);
  }
  try {
    return parseWith(schema, value, 'The request');
  } catch (error) {
    // 422 is what FastAPI, and so nearly every submission, answers.
    throw new HttpError(422, error instanceof Error ? error.message : String(error));
  }
}

export function sendJson(
  response: ServerResponse,
  status: number,
  value: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  if (response.destroyed || response.headersSent) return;
  const body = Buffer.from(JSON.stringify(value));
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': String(body.length),
    ...headers,
  });
  response.end(body);
}

/** Every failure is an answer in JSON with a `detail`, as FastAPI's are. */
export function sendError(response: ServerResponse, error: unknown): void {
  if (error instanceof HttpError) {
    sendJson(response, error.status, { detail: error.message }, error.headers);
    return;
  }
  const statuses = { unfit: 422, usage: 400, work: 500, cancelled: 503 } as const;
  const status = error instanceof UserError ? statuses[failureKind(error)] : 500;
  sendJson(response, status, { detail: describeError(error) });
}
