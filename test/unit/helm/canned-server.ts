import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** An answer: a status with a body, sent as it is; `undefined` never answers. */
export interface Answer {
  readonly status?: number;
  readonly body: unknown;
}

export type Route = (
  body: Record<string, unknown>,
  count: number,
) => Answer | undefined | Promise<Answer | undefined>;

export interface CannedServer {
  readonly url: string;
  /** Raw bodies by path, in the order of their arrival. */
  readonly requests: Readonly<Record<'/process' | '/tokenize' | '/decode', string[]>>;
  close(): Promise<void>;
}

/** Tokens of up to four characters, as texts: opaque to HELM, which only counts them and hands them back. */
export function pieces(text: string): string[] {
  const characters = [...text];
  return Array.from({ length: Math.ceil(characters.length / 4) }, (_, i) =>
    characters.slice(i * 4, i * 4 + 4).join(''),
  );
}

function hash(text: string): number {
  return createHash('sha256').update(text).digest().readUInt32BE(0);
}

/** An answer that depends on nothing but the prompt: sometimes right, sometimes not, sometimes empty. */
export function cannedCompletion(prompt: string, maxTokens: number, echo = false) {
  const seed = hash(prompt);
  const lines = prompt.split('\n').filter((line) => line !== '');
  const last = lines.at(-1) ?? '';
  const words = last.split(' ').filter((word) => /\w/.test(word));
  const candidates = prompt.includes('\nA. ')
    ? ['A', 'B', ' B\n', 'B.', '', 'A', 'B', ' A']
    : [
        'Even',
        ' odd',
        'the Odd.',
        words.at(-1) ?? '',
        last,
        'Nothing.',
        ` ${lines.at(-3) ?? ''}`,
        '] )',
        'é🙂 – 12,5',
      ];
  const text = candidates[seed % candidates.length] as string;
  const tokens = [...(echo ? pieces(prompt) : []), ...pieces(text).slice(0, maxTokens)].map((token, i) => ({
    text: token,
    logprob: -((hash(`${prompt}${i}`) % 5000) / 1000),
  }));
  return {
    text: tokens.map((token) => token.text).join(''),
    logprob: tokens.reduce((sum, { logprob }) => sum + logprob, 0),
    tokens,
    request_time: 0.001 + (seed % 100) / 1e6,
  };
}

const routes: Readonly<Record<string, Route>> = {
  '/process': ({ prompt, max_new_tokens, echo_prompt }) => ({
    body: cannedCompletion(String(prompt), Number(max_new_tokens), echo_prompt === true),
  }),
  '/tokenize': ({ text, truncation, max_length }) => {
    const tokens = pieces(String(text));
    return {
      body: { tokens: truncation ? tokens.slice(0, Number(max_length)) : tokens, request_time: 0.001 },
    };
  },
  '/decode': ({ tokens }) => ({ body: { text: (tokens as string[]).join(''), request_time: 0.001 } }),
};

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

/** Starts a real HTTP server that keeps the challenge's contract, but for the routes that are given. */
export async function startCannedServer(
  changed: Readonly<Record<string, Route>> = {},
): Promise<CannedServer> {
  const requests = { '/process': [] as string[], '/tokenize': [] as string[], '/decode': [] as string[] };
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const path = request.url ?? '';
    const text = await bodyOf(request);
    const log = requests[path as keyof typeof requests];
    log?.push(text);
    const route = changed[path] ?? routes[path];
    const result = route
      ? await route(JSON.parse(text) as Record<string, unknown>, log?.length ?? 0)
      : { status: 404, body: { detail: 'Not Found' } };
    if (!result) return;
    const { status = 200, body } = result;
    response.writeHead(status, { 'Content-Type': 'application/json' });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  };
  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
