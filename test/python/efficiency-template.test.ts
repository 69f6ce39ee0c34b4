import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { scaffold } from '../../src/submission/index.ts';
import { folderWith } from '../unit/submission/folder.ts';

const python = process.env.SUBMISSION_STUDIO_PEERS;
const skip = python === undefined && 'SUBMISSION_STUDIO_PEERS names no Python';

let server: ChildProcess | undefined;
let url = '';
let output = '';

async function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}

before(async () => {
  if (python === undefined) return;
  const folder = join(await folderWith({}), 'entry');
  await scaffold({ kind: 'efficiency', folder, demo: true });
  const port = await freePort();
  url = `http://127.0.0.1:${port}`;
  const env = { ...process.env, MODEL_DIR: 'models/base', PYTHONDONTWRITEBYTECODE: '1', HF_HUB_OFFLINE: '1' };
  server = spawn(python, ['-m', 'uvicorn', 'main:app', '--port', String(port)], { cwd: folder, env });
  for (const stream of [server.stdout, server.stderr]) stream?.on('data', (text: Buffer) => (output += text));
  for (let attempt = 0; attempt < 240; attempt++) {
    if (server.exitCode !== null) break;
    const health = await fetch(`${url}/health`).catch(() => undefined);
    if (health?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  assert.fail(`the server did not start:\n${output}`);
});
after(() => {
  server?.kill();
});

async function post(path: string, body: unknown): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await fetch(url + path, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

interface Completion {
  text: string;
  logprob: number;
  request_time: number;
  tokens: { text: string; logprob: number; top_logprob: Record<string, number> }[];
}

async function complete(body: Record<string, unknown>): Promise<Completion> {
  const answer = await post('/process', body);
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return answer.body as unknown as Completion;
}

const request = {
  prompt: 'Reverse: owujew\nAnswer:',
  temperature: 1e-7,
  num_return_sequences: 1,
  max_new_tokens: 12,
  top_p: 1,
  echo_prompt: false,
  top_k_per_token: 5,
  stop_sequences: [] as string[],
};

test('the health check’s body is answered, unknown fields too', { skip }, async () => {
  assert.equal((await post('/process', { prompt: 'The capital of France is ' })).status, 200);
  assert.equal((await post('/process', { ...request, num_samples: 1, top_k: 200 })).status, 200);
  assert.equal((await post('/process', {})).status, 422);
});

test('a temperature of 1e-07 is greedy; logprob is the sum over finite tokens', { skip }, async () => {
  const [first, second] = [await complete(request), await complete(request)];
  assert.equal(first.text, second.text);
  assert.ok(first.tokens.length > 0 && first.tokens.length <= 12);
  const sum = first.tokens.reduce((total, { logprob }) => total + logprob, 0);
  assert.ok(Math.abs(first.logprob - sum) < 1e-6);
  for (const { logprob, top_logprob } of first.tokens) {
    assert.ok(Number.isFinite(logprob) && logprob <= 0);
    const best = Math.max(...Object.values(top_logprob));
    // Greedy: the token is the most likely one of those reported.
    assert.ok(Math.abs(best - logprob) < 1e-6);
    assert.ok(Object.keys(top_logprob).length <= 5);
  }
});

test('tokens are as many as asked for at most, and end before the stop sequence', { skip }, async () => {
  for (const max_new_tokens of [1, 5]) {
    assert.ok((await complete({ ...request, max_new_tokens })).tokens.length <= max_new_tokens);
  }
  const free = await complete({ ...request, max_new_tokens: 30 });
  const stop = free.text.trim().slice(1, 2);
  const stopped = await complete({ ...request, max_new_tokens: 30, stop_sequences: [stop, ''] });
  assert.equal(stopped.text, free.text.slice(0, free.text.indexOf(stop)));
  assert.ok(
    stopped.tokens
      .map(({ text }) => text)
      .join('')
      .startsWith(stopped.text),
  );
});

test('echo_prompt puts the prompt in front, with log-probabilities of its tokens', { skip }, async () => {
  const plain = await complete(request);
  const echoed = await complete({ ...request, echo_prompt: true });
  assert.equal(echoed.text, request.prompt + plain.text);
  assert.ok(echoed.tokens.length > plain.tokens.length);
  const alone = await complete({ ...request, echo_prompt: true, max_new_tokens: 0 });
  assert.equal(alone.text, request.prompt);
});

test('sampling depends on the seed and nothing else', { skip }, async () => {
  const sample = (seed: number) => complete({ ...request, prompt: 'x', temperature: 4, seed });
  const [one, same, other] = [await sample(1), await sample(1), await sample(2)];
  assert.equal(one.text, same.text);
  assert.notEqual(one.text, other.text);
});

test('/tokenize cuts when asked, and /decode is its inverse', { skip }, async () => {
  for (const text of [' leading', 'a\n\nb', 'é😀', '', 'Answer: B']) {
    const { body } = await post('/tokenize', { text, truncation: false, max_length: 3 });
    const decoded = await post('/decode', { tokens: body.tokens });
    assert.equal(decoded.body.text, text);
    assert.ok(typeof body.request_time === 'number' && typeof decoded.body.request_time === 'number');
  }
  const cut = await post('/tokenize', { text: 'abcdefghij', truncation: true, max_length: 5 });
  assert.equal((cut.body.tokens as unknown[]).length, 5);
  const { body } = await post('/tokenize', { text: 'abc' });
  assert.equal((body.tokens as unknown[]).length, 3);
});

test('a prompt that fills the context is answered', { skip }, async () => {
  const long = await complete({ ...request, prompt: 'x'.repeat(3000), max_new_tokens: 40 });
  assert.ok(long.tokens.length <= 40);
});

test('four requests at once get their own answers', { skip }, async () => {
  const prompts = [
    'Reverse: abc\nAnswer:',
    'Shift: abc\nAnswer:',
    'Reverse: zyx\nAnswer:',
    'Shift: ooo\nAnswer:',
  ];
  const alone: string[] = [];
  for (const prompt of prompts) alone.push((await complete({ ...request, prompt })).text);
  const together = await Promise.all(prompts.map((prompt) => complete({ ...request, prompt })));
  assert.deepEqual(
    together.map(({ text }) => text),
    alone,
  );
  for (const { request_time } of together) assert.ok(request_time >= 0);
});
