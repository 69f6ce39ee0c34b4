import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { type Progress, UserError } from '../../../src/base/index.ts';
import { HelmClient } from '../../../src/helm/client/client.ts';
import { buildPrompts, evaluate, readRun } from '../../../src/helm/index.ts';
import { processBody } from '../../../src/helm/prompt/requests.ts';
import {
  type Answer,
  type CannedServer,
  cannedCompletion,
  type Route,
  startCannedServer,
} from './canned-server.ts';

interface Place {
  readonly folder: string;
  readonly suite: string;
  readonly out: string;
}

async function place(
  t: TestContext,
  entries = '{description: "simple_mcqa:max_eval_instances=12"}',
): Promise<Place> {
  const folder = await mkdtemp(join(tmpdir(), 'helm-evaluate-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const suite = join(folder, 'mine.conf');
  await writeFile(suite, `entries: [${entries}]`);
  return { folder, suite, out: join(folder, 'out') };
}

async function server(t: TestContext, changed: Readonly<Record<string, Route>> = {}): Promise<CannedServer> {
  const started = await startCannedServer(changed);
  t.after(() => started.close());
  return started;
}

function answer(body: Record<string, unknown>): Answer {
  return { body: cannedCompletion(String(body.prompt), Number(body.max_new_tokens)) };
}

/** An answer of /process with one field changed. */
function changedAnswer(change: Readonly<Record<string, unknown>>): Route {
  return (body) => ({ body: { ...(answer(body).body as object), ...change } });
}

const runName = 'simple_mcqa:max_eval_instances=12,model=neurips_local';

// Waiting for retries is most of the time: the tests wait side by side.
describe('evaluate', { concurrency: true }, () => {
  test('a run is written as HELM’s five files, and its bodies are the prompts that were announced', async (t) => {
    const { suite, out } = await place(t);
    const { url, requests } = await server(t);
    const seen: Progress[] = [];
    const result = await evaluate(`${url}/`, { suite, out, onProgress: (progress) => seen.push(progress) });
    const [run] = result.runs;
    assert.ok(run);
    assert.equal(run.name, runName);
    assert.deepEqual([run.instances, run.failed, run.problems], [12, 0, []]);
    assert.equal(Object.keys(run.metrics)[0], 'exact_match');
    assert.deepEqual((await readdir(run.folder)).sort(), [
      'per_instance_stats.json',
      'run_spec.json',
      'scenario.json',
      'scenario_state.json',
      'stats.json',
    ]);
    assert.deepEqual(seen.at(-1), { done: 12, total: 12, unit: 'requests', message: runName });
    const announced = await buildPrompts({ conf: suite });
    assert.deepEqual(
      requests['/process'].toSorted(),
      announced.map(({ request }) => processBody(request)).sort(),
    );
    assert.ok(result.seconds > 0 && result.requestsPerSecond > 0);
    // The score is what the answers say: HELM's letter mapping, by hand.
    const state = JSON.parse(await readFile(join(run.folder, 'scenario_state.json'), 'utf8'));
    const right = state.request_states.filter(
      (one: {
        output_mapping: Record<string, string>;
        result: { completions: { text: string }[] };
        instance: { references: { output: { text: string }; tags: string[] }[] };
      }) => {
        const mapped = one.output_mapping[one.result.completions[0]?.text.trim() ?? ''];
        return one.instance.references.some(({ output, tags }) => tags.length > 0 && output.text === mapped);
      },
    ).length;
    assert.ok(right > 0 && right < 12);
    assert.equal(run.metrics.exact_match, right / 12);
  });

  test('nothing listens: a usage error names the URL within 15 s, and nothing is written', async (t) => {
    const { suite, out } = await place(t);
    const closed = await startCannedServer();
    await closed.close();
    const started = performance.now();
    await assert.rejects(evaluate(closed.url, { suite, out }), (error: unknown) => {
      assert.ok(error instanceof UserError);
      assert.equal(error.kind, 'usage');
      assert.equal(error.place.url, closed.url);
      assert.match(error.message, /does not answer: nothing listens there/);
      assert.match(error.remedy ?? '', /Start the server/);
      return true;
    });
    assert.ok(performance.now() - started < 15_000);
    await assert.rejects(readdir(out), { code: 'ENOENT' });
  });

  test('a server that takes the connection and never answers is found out', async (t) => {
    const silent = createServer();
    const connections: { destroy(): void }[] = [];
    silent.on('connection', (socket) => connections.push(socket));
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    t.after(() => {
      for (const socket of connections) socket.destroy();
      silent.close();
    });
    const { port } = silent.address() as { port: number };
    const client = new HelmClient(`http://127.0.0.1:${port}`, { concurrency: 1, contactTimeout: 200 });
    await assert.rejects(client.contact(), (error: unknown) => {
      assert.ok(error instanceof UserError);
      assert.equal(error.kind, 'usage');
      assert.match(error.message, /no answer within 1 s|no answer within 0 s/);
      return true;
    });
    client.close();
  });

  test('what is no URL, no suite or no name is a usage error that names it', async (t) => {
    const { suite, out } = await place(t);
    const fails = (url: string, options: object, field: string) =>
      assert.rejects(evaluate(url, { suite, out, ...options }), (error: unknown) => {
        assert.ok(error instanceof UserError, String(error));
        assert.equal(error.kind, 'usage');
        assert.equal(error.place.field, field);
        return true;
      });
    await fails('ftp://x', {}, 'url');
    await fails('http://', {}, 'url');
    await fails('http://127.0.0.1:1', { suite: 'smaple' }, 'suite');
    await fails('http://127.0.0.1:1', { name: '../x' }, 'name');
    await fails('http://127.0.0.1:1', { runSuite: 'a/b' }, 'run suite');
  });

  const fatal: readonly (readonly [string, Route, RegExp])[] = [
    [
      '500',
      () => ({ status: 500, body: { detail: 'out of memory' } }),
      /\/process answered 500.*out of memory.*HELM would try 5 times over 150 s/,
    ],
    ['422', () => ({ status: 422, body: 'echo_prompt: field required' }), /answered 422.*echo_prompt/],
    ['HTML', () => ({ body: '<html>busy</html>' }), /answered no JSON but "<html>busy/],
    ['nothing', () => ({ body: '' }), /answered nothing/],
    ['a list', () => ({ body: '[1]' }), /answered a list, not an object/],
    ['no request_time', changedAnswer({ request_time: undefined }), /no "request_time".*KeyError/],
    ['no text', changedAnswer({ text: undefined }), /no "text"/],
    ['no tokens', changedAnswer({ tokens: undefined }), /no "tokens"/],
    [
      'tokens as texts',
      changedAnswer({ tokens: ['a'] }),
      /"tokens\[0\]".*is a string, not an object.*TypeError/,
    ],
    ['no logprob of a token', changedAnswer({ tokens: [{ text: 'a' }] }), /no "tokens\[0\]\.logprob"/],
    ['null text', changedAnswer({ text: null }), /"text".*is null.*crash/],
    ['null logprob', changedAnswer({ logprob: null }), /"logprob".*is null.*crash/],
    ['text as time', changedAnswer({ request_time: '0.1' }), /"request_time".*is a string.*crash/],
  ];

  test('answers that HELM would die of fail the instance, and say what HELM would do', {
    timeout: 60_000,
  }, async (t) => {
    await Promise.all(
      fatal.map(async ([kind, route, expected]) => {
        const { suite, out } = await place(t, '{description: "simple_mcqa:max_eval_instances=4"}');
        const { url } = await server(t, { '/process': route });
        const { runs } = await evaluate(url, { suite, out });
        assert.equal(runs[0]?.failed, 4, kind);
        assert.equal(runs[0]?.problems.length, 1, kind);
        assert.match(runs[0]?.problems[0] ?? '', expected, kind);
        assert.match(runs[0]?.problems[0] ?? '', new RegExp(`${url}/process`), kind);
        assert.deepEqual(runs[0]?.metrics, {}, kind);
        assert.equal((await readRun(runs[0]?.folder ?? '')).failed, 4, kind);
      }),
    );
  });

  test('a broken endpoint is not asked for every instance', async (t) => {
    const { suite, out } = await place(t, '{description: "simple_mcqa"}');
    const { url, requests } = await server(t, { '/process': changedAnswer({ text: null }) });
    const { runs } = await evaluate(url, { suite, out });
    assert.equal(runs[0]?.failed, 79);
    assert.ok(requests['/process'].length < 20);
    assert.ok(runs[0]?.problems.some((problem) => problem.startsWith('Not sent')));
  });

  test('500 once, then 200: nothing is lost', async (t) => {
    const { suite, out } = await place(t);
    const failed = new Set<string>();
    const { url } = await server(t, {
      '/process': (body) => {
        if (failed.has(String(body.prompt))) return answer(body);
        failed.add(String(body.prompt));
        return { status: 500, body: 'once' };
      },
    });
    const { runs } = await evaluate(url, { suite, out });
    assert.equal(runs[0]?.failed, 0);
  });

  test('one instance without an answer fails alone; the others are scored', async (t) => {
    const { suite, out } = await place(t);
    let unlucky: string | undefined;
    const { url } = await server(t, {
      '/process': (body) => {
        unlucky ??= String(body.prompt);
        return body.prompt === unlucky ? { body: { text: 'A' } } : answer(body);
      },
    });
    const { runs } = await evaluate(url, { suite, out });
    const [run] = runs;
    assert.ok(run);
    assert.deepEqual([run.instances, run.failed], [12, 1]);
    assert.ok(run.metrics.exact_match !== undefined);
    const read = await readRun(run.folder);
    assert.deepEqual([read.instances, read.failed], [12, 1]);
    const [failure] = JSON.parse(await readFile(join(run.folder, 'failures.json'), 'utf8'));
    assert.match(failure.error, /no "tokens"/);
    assert.match(failure.instance_id, /^id\d+$/);
  });

  test('an endpoint that answers nothing does not replace a run that has answers', async (t) => {
    const { suite, out } = await place(t);
    const good = await server(t);
    const [first] = (await evaluate(good.url, { suite, out })).runs;
    const bad = await server(t, { '/process': changedAnswer({ text: null }) });
    const [second] = (await evaluate(bad.url, { suite, out })).runs;
    assert.equal(second?.failed, 12);
    assert.equal(first?.folder, second?.folder);
    assert.equal((await readRun(first?.folder ?? '')).failed, 0);
  });

  test('a tokenizer that fails is passed over as in HELM, but not in silence', {
    timeout: 30_000,
  }, async (t) => {
    const { suite, out } = await place(
      t,
      '{description: "simple_mcqa:max_eval_instances=4,max_train_instances=0"}',
    );
    const { url } = await server(t, {
      '/tokenize': () => ({ status: 500, body: 'no tokenizer' }),
      '/decode': () => ({ status: 404, body: { detail: 'Not Found' } }),
    });
    const { runs, warnings } = await evaluate(url, { suite, out });
    assert.equal(runs[0]?.failed, 0);
    assert.equal(runs[0]?.metrics.num_prompt_tokens, 0);
    assert.equal(runs[0]?.metrics.prompt_truncated, 1);
    assert.equal(warnings.length, 2);
    assert.match(warnings.join('\n'), /\/tokenize answered 500.*no tokens/);
    assert.match(warnings.join('\n'), /\/decode answered 404.*uncut/);
  });

  test('a tokenizer answer without request_time kills HELM’s run, so the instances fail', async (t) => {
    const { suite, out } = await place(t, '{description: "simple_mcqa:max_eval_instances=4"}');
    const { url } = await server(t, { '/tokenize': () => ({ body: { tokens: [1] } }) });
    const { runs } = await evaluate(url, { suite, out });
    assert.equal(runs[0]?.failed, 4);
    assert.match(runs[0]?.problems[0] ?? '', /\/tokenize has no "request_time"/);
  });

  test('NaN and Infinity as log-probabilities are taken as HELM takes them; the files stay JSON', async (t) => {
    const { suite, out } = await place(t);
    const { url } = await server(t, {
      '/process': () => ({
        body: '{"text": "A", "logprob": -Infinity, "tokens": [{"text": "NaN", "logprob": NaN}], "request_time": 0.1}',
      }),
    });
    const { runs } = await evaluate(url, { suite, out });
    const [run] = runs;
    assert.ok(run);
    assert.equal(run.failed, 0);
    assert.ok('exact_match' in run.metrics && !('logprob' in run.metrics));
    for (const file of await readdir(run.folder)) JSON.parse(await readFile(join(run.folder, file), 'utf8'));
    const state = JSON.parse(await readFile(join(run.folder, 'scenario_state.json'), 'utf8'));
    assert.deepEqual(state.request_states[0].result.completions[0], {
      text: 'A',
      logprob: '-Infinity',
      tokens: [{ text: 'NaN', logprob: 'NaN' }],
    });
  });

  test('as many requests at once as asked for, and no more', async (t) => {
    const { suite, out } = await place(t);
    let active = 0;
    let most = 0;
    let reached: () => void = () => undefined;
    const three = new Promise<void>((resolve) => {
      reached = resolve;
    });
    const { url } = await server(t, {
      '/process': async (body) => {
        most = Math.max(most, ++active);
        if (active === 3) reached();
        await three;
        // A fourth request would arrive while these are held back.
        await new Promise((resolve) => setTimeout(resolve, 20));
        active--;
        return answer(body);
      },
    });
    await evaluate(url, { suite, out, concurrency: 3 });
    assert.equal(most, 3);
  });

  test('a cancelled evaluation leaves no run, and --resume asks only for what is missing', async (t) => {
    const { suite, out } = await place(t);
    const stop = new AbortController();
    const { url, requests } = await server(t, {
      '/process': (body, count) => {
        if (count === 6) setImmediate(() => stop.abort());
        // From the sixth on no answer comes: the cancel must not wait for one.
        return count >= 6 && !stop.signal.aborted ? undefined : answer(body);
      },
    });
    await assert.rejects(evaluate(url, { suite, out, signal: stop.signal }), (error: unknown) => {
      assert.ok(error instanceof UserError);
      assert.equal(error.kind, 'cancelled');
      assert.match(error.remedy ?? '', /eval_cache.*--resume/);
      return true;
    });
    assert.deepEqual(await readdir(join(out, 'runs/mine')), ['eval_cache']);
    const before = requests['/process'].length;
    const { runs } = await evaluate(url, { suite, out, resume: true });
    assert.equal(runs[0]?.failed, 0);
    const asked = requests['/process'].length - before;
    assert.ok(asked >= 6 && asked <= 8, `asked ${asked} again`);

    const whole = await server(t);
    const [fresh] = (await evaluate(whole.url, { suite, out: join(out, 'fresh') })).runs;
    const stats = async (of: string) => readFile(join(of, 'scenario_state.json'), 'utf8');
    assert.equal(await stats(runs[0]?.folder ?? ''), await stats(fresh?.folder ?? ''));

    const again = requests['/process'].length;
    await evaluate(url, { suite, out, resume: true });
    assert.equal(requests['/process'].length, again);
    await evaluate(url, { suite, out });
    assert.equal(requests['/process'].length, again + 12);
  });

  test('a cache that a crash has cut off loses only its last line', async (t) => {
    const { suite, out } = await place(t);
    const { url, requests } = await server(t);
    await evaluate(url, { suite, out });
    const cache = join(out, 'runs/mine/eval_cache/local.answers');
    const text = await readFile(cache, 'utf8');
    await writeFile(cache, text.slice(0, -7));
    const before = requests['/process'].length;
    const { runs } = await evaluate(url, { suite, out, resume: true });
    assert.equal(runs[0]?.failed, 0);
    assert.equal(requests['/process'].length, before + 1);
  });

  test('a signal that has aborted already stops everything', async (t) => {
    const { suite, out } = await place(t);
    await assert.rejects(evaluate('http://127.0.0.1:1', { suite, out, signal: AbortSignal.abort() }), {
      kind: 'cancelled',
    });
  });

  test('two entries that make the same run are refused', async (t) => {
    const { suite, out } = await place(t, '{description: "simple_mcqa"}, {description: "simple_mcqa"}');
    await assert.rejects(
      evaluate('http://127.0.0.1:1', { suite, out }),
      /Two entries make the run simple_mcqa/,
    );
  });
});
