import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { describe, test } from 'node:test';
import { UserError } from '../../../src/base/index.ts';
import { checkContract } from '../../../src/serve/check/index.ts';
import { connect } from '../../../src/serve/index.ts';
import { toyServer } from '../../support/toy-server.ts';
import { defects, refuse, withoutAnswers } from './defects.ts';

describe('checkContract', () => {
  test('an answer that is kept back once on its way does not make the clock wrong', async (t) => {
    let late = true;
    const url = await toyServer(t, {
      time: { '/decode': 0 },
      delay: {
        '/decode': () => {
          const wait = late ? 500 : 0;
          late = false;
          return wait;
        },
      },
    });
    const { checks } = await checkContract(url);
    assert.equal(checks.find(({ id }) => id === 'request-time-decode')?.pass, true);
  });

  test('passes a server that keeps the contract', async (t) => {
    const seen: number[] = [];
    const url = await toyServer(t);
    const report = await checkContract(`${url}/`, { onProgress: ({ done }) => seen.push(done) });
    assert.deepEqual(
      report.checks.filter(({ pass }) => !pass),
      [],
    );
    assert.equal(report.pass, true);
    assert.equal(new Set(report.checks.map(({ id }) => id)).size, report.checks.length);
    assert.equal(seen.at(-1), report.checks.length);
  });

  test('passes one without candidates, and one whose echo leaves the prompt out of the sum', async (t) => {
    const url = await toyServer(t, {
      process: (request, good) => {
        const whole = good(request);
        const tokens = whole.tokens.map(({ text, logprob }) => ({ text, logprob }));
        return {
          ...whole,
          tokens,
          logprob: -0.5 * String(good({ ...request, echo_prompt: false }).text).length,
        };
      },
    });
    assert.deepEqual(
      (await checkContract(url)).checks.filter(({ pass }) => !pass),
      [],
    );
  });

  for (const [what, { changes, fails, says }] of Object.entries(defects)) {
    test(`catches ${what}`, async (t) => {
      const report = await checkContract(await toyServer(t, changes));
      const failed = report.checks.filter(({ pass }) => !pass);
      assert.deepEqual(failed.map(({ id }) => id).sort(), [...fails].sort());
      assert.match(failed[0]?.detail ?? '', says);
      assert.equal(report.pass, false);
    });
  }

  test('an address that hangs fails its checks and is asked once', async (t) => {
    let asked = 0;
    const url = await toyServer(t, {
      raw: (request) => {
        if (request.url !== '/process') return false;
        asked++;
        return true;
      },
    });
    const report = await checkContract(url, { timeouts: { '/process': 200 } });
    const failed = report.checks.filter(({ pass }) => !pass);
    assert.deepEqual(failed.map(({ id }) => id).sort(), [...withoutAnswers].sort());
    assert.match(failed[0]?.detail ?? '', /no answer within/);
    assert.match(failed[1]?.detail ?? '', /not tried/);
    assert.equal(asked, 1);
  });

  test('an address that closes connections fails its checks', async (t) => {
    const url = await toyServer(t, {
      raw: (request, response) => {
        if (request.url !== '/decode') return false;
        response.socket?.destroy();
        return true;
      },
    });
    const report = await checkContract(url);
    const failed = report.checks.filter(({ pass }) => !pass);
    assert.deepEqual(
      failed.map(({ id }) => id),
      ['decode-round-trip', 'request-time-decode'],
    );
    assert.match(failed[0]?.detail ?? '', /closed without an answer/);
  });

  test('can be cancelled', async (t) => {
    const controller = new AbortController();
    const url = await toyServer(t, { raw: ({ url: path }) => path === '/process' });
    setTimeout(() => controller.abort(), 100);
    await assert.rejects(
      checkContract(url, { signal: controller.signal }),
      (error) => error instanceof UserError && error.kind === 'cancelled',
    );
  });
});

/** An address where nothing listens. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address ? address.port : 0;
}

const isUsage = (message: RegExp) => (error: unknown) => {
  assert.ok(error instanceof UserError);
  assert.equal(error.kind, 'usage');
  assert.match(error.message, message);
  return true;
};

describe('an endpoint that cannot be reached', () => {
  test('is a usage error where nothing listens', async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    await assert.rejects(checkContract(url), isUsage(/does not answer: nothing listens there/));
    await assert.rejects(connect(url), isUsage(/does not answer/));
  });

  test('is a usage error where something accepts and never answers', async (t) => {
    const url = await toyServer(t, { raw: () => true });
    await assert.rejects(checkContract(url, { contactTimeout: 300 }), isUsage(/no answer within/));
  });

  for (const url of ['', 'ftp://x', 'http://', 'not a url']) {
    test(`${JSON.stringify(url)} is no URL`, async () => {
      await assert.rejects(connect(url), isUsage(/no URL of a server/));
    });
  }
});

describe('connect', () => {
  test('takes any HTTP answer, and URLs as people write them', async (t) => {
    const url = await toyServer(t, { process: () => refuse(500) });
    const host = url.replace('http://', '');
    for (const written of [url, `${url}/`, `${url}//`, host, `${url}/?a=1#b`]) {
      assert.deepEqual(await connect(written), { url, via: 'external', title: host });
    }
  });
});
