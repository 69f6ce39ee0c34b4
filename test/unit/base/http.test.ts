import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { baseUrl, call, keepAlive, NoReply } from '../../../src/base/index.ts';

async function server(t: TestContext, answer: RequestListener): Promise<string> {
  const http = createServer(answer);
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  t.after(() => {
    http.closeAllConnections();
    http.close();
  });
  return `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
}

test('a request that times out on a kept connection is not sent again, and fails once', async (t) => {
  let requests = 0;
  const url = await server(t, (_, response) => {
    requests++;
    if (requests === 1) response.end('first');
  });
  const agent = keepAlive(url, 1);
  t.after(() => agent.destroy());
  assert.equal((await call(url, { body: '{}', timeoutMs: 5000, agent })).text, 'first');
  await sleep(20);
  await assert.rejects(
    call(url, { body: '{}', timeoutMs: 200, agent }),
    (error) => error instanceof NoReply && error.code === 'ETIMEDOUT',
  );
  await sleep(200);
  assert.equal(requests, 2);
});

test('a kept connection that the server has closed meanwhile is replaced', async (t) => {
  let requests = 0;
  const url = await server(t, (request, response) => {
    requests++;
    if (requests === 2) request.socket.destroy();
    else response.end(`answer ${requests}`);
  });
  const agent = keepAlive(url, 1);
  t.after(() => agent.destroy());
  await call(url, { body: '{}', timeoutMs: 5000, agent });
  await sleep(20);
  assert.equal((await call(url, { body: '{}', timeoutMs: 5000, agent })).text, 'answer 3');
});

test('a cancelled request says so', async (t) => {
  const url = await server(t, () => {});
  const controller = new AbortController();
  setTimeout(() => controller.abort(), 50);
  await assert.rejects(
    call(url, { body: '{}', timeoutMs: 5000, signal: controller.signal }),
    (error) => error instanceof NoReply && error.code === 'ABORTED',
  );
});

test('a base URL is what people type, without what addresses are appended to', () => {
  assert.equal(baseUrl('localhost:8080/'), 'http://localhost:8080');
  assert.equal(baseUrl('https://host/base//'), 'https://host/base');
  for (const wrong of ['', 'ftp://host', 'http://', 'not a url'])
    assert.throws(() => baseUrl(wrong), /URL of a server/);
});
