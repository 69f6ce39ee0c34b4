import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { type AddressInfo, connect as connectSocket } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { z } from 'zod';
import { mediaPath, UserError } from '../../../src/base/index.ts';
import {
  checkContract,
  connect,
  decodeResponseSchema,
  processResponseSchema,
  type RunningEndpoint,
  serveCheckpoint,
  startServerProcess,
  tokenizeResponseSchema,
} from '../../../src/serve/index.ts';
import { temporaryFolder } from '../../support/temporary.ts';

const checkpoint = mediaPath('demo/expert-1');

const isUsage = (message: RegExp) => (error: unknown) => {
  assert.ok(error instanceof UserError);
  assert.equal(error.kind, 'usage');
  assert.match(error.message, message);
  return true;
};

/** A copy of the checkpoint that never ends a text by itself. */
async function endless(t: TestContext): Promise<string> {
  const folder = join(await temporaryFolder(t), 'endless');
  await cp(checkpoint, folder, { recursive: true });
  await rm(join(folder, 'generation_config.json'));
  const config = JSON.parse(await readFile(join(folder, 'config.json'), 'utf8'));
  await writeFile(join(folder, 'config.json'), JSON.stringify({ ...config, eos_token_id: null }));
  return folder;
}

const longRequest = { prompt: 'a', temperature: 1e-7, max_new_tokens: 2000 };

describe('the embedded server', () => {
  let server: RunningEndpoint;
  before(async () => {
    server = await serveCheckpoint({ checkpoint, port: 0 });
  });
  after(() => server.stop());

  const send = (path: string, body?: unknown, init: RequestInit = {}) =>
    fetch(server.url + path, {
      method: 'POST',
      body: typeof body === 'string' ? body : JSON.stringify(body),
      ...init,
    });

  async function ask<T>(path: string, body: unknown, schema: z.ZodType<T>): Promise<T> {
    const response = await send(path, body);
    assert.equal(response.status, 200);
    return schema.parse(await response.json());
  }

  const complete = (body: object) => ask('/process', body, processResponseSchema);

  async function refused(path: string, body: unknown, status: number, detail: RegExp, init?: RequestInit) {
    const response = await send(path, body, init);
    assert.equal(response.status, status);
    assert.match(response.headers.get('content-type') ?? '', /application\/json/);
    const answer = (await response.json()) as { detail: string };
    assert.match(answer.detail, detail);
    assert.doesNotMatch(answer.detail, /\n\s+at /);
  }

  const eightFields = {
    prompt: 'Reverse: ziwaj\nAnswer:',
    temperature: 1e-7,
    num_return_sequences: 1,
    max_new_tokens: 12,
    top_p: 1,
    echo_prompt: false,
    top_k_per_token: 5,
    stop_sequences: ['\n'],
  };

  test('keeps the contract that it checks others against', async () => {
    const { pass, checks } = await checkContract(server.url);
    assert.deepEqual(
      checks.filter((check) => !check.pass),
      [],
    );
    assert.equal(pass, true);
  });

  test('answers HELM', async () => {
    const { text, tokens, logprob } = await complete(eightFields);
    assert.equal(text, ' jawiz');
    assert.ok(Math.abs(tokens.reduce((sum, token) => sum + token.logprob, 0) - logprob) < 1e-9);
    for (const token of tokens) {
      const candidates = Object.entries(token.top_logprob ?? {});
      assert.equal(candidates.length, 5);
      assert.deepEqual(candidates[0], [token.text, token.logprob]);
    }
  });

  test('takes null for what may be left out, and fields that it does not know', async () => {
    const { prompt, temperature, ...others } = eightFields;
    const nulls = Object.fromEntries(Object.keys(others).map((key) => [key, null]));
    const { text } = await complete({ prompt, temperature, ...nulls, unknown: [1], num_samples: 2 });
    assert.match(text, /jawiz/);
  });

  test('puts the prompt before the completion when asked to', async () => {
    const { text, tokens } = await complete({ ...eightFields, echo_prompt: true });
    assert.equal(text, `${eightFields.prompt} jawiz`);
    assert.equal(tokens.map((token) => token.text).join(''), text);
  });

  test('repeats a draw with its seed', async () => {
    const draw = (seed: number) =>
      complete({ prompt: 'Question:', temperature: 3, max_new_tokens: 30, seed });
    assert.equal((await draw(5)).text, (await draw(5)).text);
    assert.notEqual((await draw(5)).text, (await draw(6)).text);
  });

  test('/tokenize and /decode are each other’s inverse', async () => {
    for (const text of ['', ' a\n\nb ', 'é🦊<|endoftext|>', '\ufeff\u0000x']) {
      const { tokens } = await ask(
        '/tokenize',
        { text, truncation: false, max_length: 1 },
        tokenizeResponseSchema,
      );
      assert.equal((await ask('/decode', { tokens }, decodeResponseSchema)).text, text);
    }
    const long = { text: 'x'.repeat(5000) };
    assert.equal((await ask('/tokenize', long, tokenizeResponseSchema)).tokens.length, 2048);
    const uncut = { ...long, truncation: false };
    assert.equal((await ask('/tokenize', uncut, tokenizeResponseSchema)).tokens.length, 5000);
  });

  test('a base URL that ends with a slash does no harm', async () => {
    assert.equal((await complete({ prompt: 'a', max_new_tokens: 1 })).tokens.length <= 1, true);
    assert.equal((await send('//process?x=1', { prompt: 'a', max_new_tokens: 1 })).status, 200);
  });

  test('says what is wrong with a request', async () => {
    await refused('/process', '{"prompt": "a"', 400, /not JSON/);
    await refused('/process', '', 400, /no body/);
    await refused('/process', '[]', 422, /keys with values/);
    await refused('/process', {}, 422, /prompt/);
    await refused('/process', { prompt: 5 }, 422, /prompt/);
    await refused('/process', { prompt: 'a', max_new_tokens: 1.5 }, 422, /max_new_tokens/);
    await refused('/process', { prompt: 'a', temperature: -1 }, 422, /temperature/);
    await refused('/process', { prompt: 'a', stop_sequences: 'x' }, 422, /stop_sequences/);
    await refused('/process', { prompt: 'xq'.repeat(4000) }, 400, /prompt has 8000 tokens.*2048/);
    await refused('/tokenize', { text: null }, 422, /text/);
    await refused('/decode', { tokens: [1, 5000] }, 400, /token 5000/);
    await refused('/decode', { tokens: ['a'] }, 422, /tokens/);
    await refused('/nothing', {}, 404, /\/process/);
    await refused('/process', undefined, 405, /POST, not GET/, { method: 'GET' });
    await refused('/health', {}, 405, /GET, not POST/);
    await refused('/process', 'x'.repeat(17 * 2 ** 20), 413, /larger than/);
  });

  test('describes itself', async () => {
    const api = (await (await send('/openapi.json', undefined, { method: 'GET' })).json()) as {
      paths: object;
      components: { schemas: { ProcessRequest: { required: string[]; properties: object } } };
    };
    assert.deepEqual(Object.keys(api.paths), ['/process', '/tokenize', '/decode', '/health']);
    assert.deepEqual(api.components.schemas.ProcessRequest.required, ['prompt']);
    for (const field of Object.keys(eightFields)) {
      assert.ok(field in api.components.schemas.ProcessRequest.properties, field);
    }
    // Every reference leads somewhere.
    for (const [, name] of JSON.stringify(api).matchAll(/"\$ref":"([^"]+)"/g)) {
      assert.ok((name?.split('/').at(-1) ?? '') in api.components.schemas, name);
    }
    assert.equal((await connect(server.url)).title, 'expert-1');
  });

  test('a client that sends half a request and leaves does no harm', async () => {
    const { port } = new URL(server.url);
    const socket = connectSocket(Number(port), '127.0.0.1');
    socket.write('POST /process HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\n{"prompt":');
    await sleep(50);
    socket.destroy();
    assert.equal((await complete(eightFields)).text, ' jawiz');
  });
});

describe('starting and stopping', () => {
  test('a busy server answers /health, and gives up requests whose clients are gone', async (t) => {
    const server = await serveCheckpoint({ checkpoint: await endless(t), port: 0 });
    t.after(() => server.stop());
    const health = async () =>
      (await (await fetch(`${server.url}/health`)).json()) as { status: string; waiting: number };
    const controller = new AbortController();
    const post = (body: object, signal?: AbortSignal) =>
      fetch(`${server.url}/process`, {
        method: 'POST',
        body: JSON.stringify(body),
        ...(signal && { signal }),
      });
    const gone = Promise.all(
      Array.from({ length: 30 }, () =>
        assert.rejects(post(longRequest, controller.signal), { name: 'AbortError' }),
      ),
    );
    for (let wait = 0; wait < 100 && (await health()).waiting < 30; wait++) await sleep(20);
    assert.deepEqual(await health(), { ...(await health()), status: 'ok', waiting: 30 });
    controller.abort();
    await gone;
    const startedAt = performance.now();
    assert.equal((await post({ prompt: 'Reverse: ziwaj\nAnswer:', max_new_tokens: 1 })).status, 200);
    // All thirty would take half a minute.
    assert.ok(performance.now() - startedAt < 5000);
    assert.equal((await health()).waiting, 0);
  });

  test('a port in use is named at once, before the model is loaded', async (t) => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    t.after(() => other.close());
    const { port } = other.address() as AddressInfo;
    const missing = join(checkpoint, 'nowhere');
    for (const folder of [checkpoint, missing]) {
      await assert.rejects(
        serveCheckpoint({ checkpoint: folder, port }),
        (error) =>
          isUsage(new RegExp(`port ${port} is in use`))(error) &&
          /--port/.test((error as UserError).remedy ?? ''),
      );
    }
  });

  test('an address of another machine is refused', async () => {
    await assert.rejects(
      serveCheckpoint({ checkpoint, port: 0, host: '192.0.2.1' }),
      isUsage(/no address of this/),
    );
  });

  test('a checkpoint that cannot be run leaves the port free', async (t) => {
    const folder = join(await temporaryFolder(t), 'model');
    await cp(checkpoint, folder, { recursive: true });
    await rm(join(folder, 'tokenizer.json'));
    const probe = createServer().listen(0, '127.0.0.1');
    await once(probe, 'listening');
    const { port } = probe.address() as AddressInfo;
    await promisify(probe.close.bind(probe))();
    await assert.rejects(serveCheckpoint({ checkpoint: folder, port }), isUsage(/no tokenizer\.json/));
    const server = await serveCheckpoint({ checkpoint, port });
    assert.equal(server.url, `http://127.0.0.1:${port}`);
    await server.stop();
    assert.deepEqual(await server.exited, { code: 0 });
    await assert.rejects(fetch(`${server.url}/health`));
    await server.stop();
  });

  test('the server ends, and says why, when the model’s process does', {
    skip: process.platform === 'win32',
  }, async (t) => {
    const children = async () => {
      const { stdout } = await promisify(execFile)('ps', ['-e', '-o', 'pid=,ppid=,args=']);
      return stdout
        .split('\n')
        .map((line) => line.trim().split(/\s+/))
        .filter(
          ([, parent, ...args]) => Number(parent) === process.pid && args.join(' ').includes('model/host'),
        )
        .map(([pid]) => Number(pid));
    };
    const others = new Set(await children());
    const server = await serveCheckpoint({ checkpoint: await endless(t), port: 0 });
    const [pid] = (await children()).filter((candidate) => !others.has(candidate));
    assert.ok(pid);
    const body = JSON.stringify(longRequest);
    const request = fetch(`${server.url}/process`, { method: 'POST', body });
    await sleep(30);
    process.kill(pid, 'SIGKILL');
    const response = await request;
    assert.equal(response.status, 500);
    assert.match(((await response.json()) as { detail: string }).detail, /process ended by SIGKILL.*memory/);
    assert.match((await server.exited).message ?? '', /process ended by SIGKILL/);
  });
});

describe('startServerProcess', () => {
  test('serves from a process of its own until it is stopped', async () => {
    const server = await startServerProcess({ checkpoint, port: 0 });
    const body = JSON.stringify({ prompt: 'Reverse: ziwaj\nAnswer:', temperature: 0, max_new_tokens: 12 });
    const response = await fetch(`${server.url}/process`, { method: 'POST', body });
    assert.match(processResponseSchema.parse(await response.json()).text, /jawiz/);
    await server.stop();
    assert.deepEqual(await server.exited, { code: 0 });
    await assert.rejects(fetch(`${server.url}/health`));
  });

  test('hands on why it could not start', async (t) => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    t.after(() => other.close());
    const { port } = other.address() as AddressInfo;
    await assert.rejects(
      startServerProcess({ checkpoint, port }),
      isUsage(new RegExp(`port ${port} is in use`)),
    );
    const missing = join(checkpoint, 'nowhere');
    await assert.rejects(startServerProcess({ checkpoint: missing, port: 0 }), isUsage(/nowhere/));
  });

  test('can be cancelled while it starts', async () => {
    const controller = new AbortController();
    const starting = startServerProcess({ checkpoint, port: 0, signal: controller.signal });
    setTimeout(() => controller.abort(), 100);
    await assert.rejects(starting, (error) => error instanceof UserError && error.kind === 'cancelled');
  });
});
