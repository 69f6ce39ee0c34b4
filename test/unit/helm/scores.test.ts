import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { UserError } from '../../../src/base/index.ts';
import { formatScores, readScores } from '../../../src/helm/index.ts';
import { readJsonItems } from '../../../src/helm/run/read-json.ts';
import {
  bootstrapInterval,
  challengeScore,
  meanWinRate,
  pairedTest,
  winRates,
} from '../../../src/helm/scores/statistics.ts';
import { golden } from './golden.ts';

async function folder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'helm-scores-'));
  t.after(() => rm(path, { recursive: true, force: true }));
  return path;
}

interface RunFiles {
  readonly suite?: string;
  readonly run: string;
  readonly model: string;
  readonly groups: readonly string[];
  readonly metric: string;
  readonly split?: string;
  readonly values: readonly number[];
  readonly changedAt?: number;
}

/** A run directory with the files that a HELM of any age writes. */
async function writeRun(out: string, files: RunFiles): Promise<string> {
  const { suite = 'v1', run, model, groups, metric, split = 'test', values, changedAt = 1 } = files;
  const name = `${run}${run.includes(':') ? ',' : ':'}model=${model.replace('/', '_')}`;
  const path = join(out, 'runs', suite, name);
  await mkdir(path, { recursive: true });
  const sum = values.reduce((total, value) => total + value, 0);
  const stat = (stats: string, value: number) => ({
    name: { name: stats, split },
    count: 1,
    sum: value,
    mean: value,
  });
  const write = (file: string, content: unknown) =>
    writeFile(join(path, file), JSON.stringify(content, null, 2));
  await write('run_spec.json', {
    name,
    scenario_spec: { class_name: 'a.B' },
    adapter_spec: { method: 'generation', model, model_deployment: model },
    metric_specs: [],
    groups,
  });
  await write('stats.json', [stat('num_instances', values.length), stat(metric, sum / values.length)]);
  await write(
    'per_instance_stats.json',
    values.map((value, i) => ({
      instance_id: `id${i}`,
      train_trial_index: 0,
      stats: [stat('noise', 3), stat(metric, value)],
    })),
  );
  await utimes(join(path, 'stats.json'), changedAt, changedAt);
  return path;
}

const gsm = { run: 'simple_mcqa', groups: ['simple_mcqa'], metric: 'exact_match' };
const natural = {
  run: 'synthetic_reasoning_natural:difficulty=easy',
  groups: ['synthetic_reasoning', 'synthetic_reasoning_natural'],
  metric: 'f1_set_match',
};

test('runs of all suites stand side by side, compared with a baseline', async (t) => {
  const out = await folder(t);
  await writeRun(out, { ...gsm, model: 'neurips/base', values: [1, 0, 0, 0] });
  await writeRun(out, { ...gsm, model: 'neurips/merged', values: [1, 1, 1, 0], suite: 'v2' });
  await writeRun(out, { ...natural, model: 'neurips/base', values: [0.5, 0.5] });
  await writeRun(out, { ...natural, model: 'neurips/merged', values: [0.25, 0.75], suite: 'v2' });
  await writeRun(out, { ...gsm, model: 'neurips/half', values: [1, 0] });
  const table = await readScores(out, { baseline: 'base' });
  assert.deepEqual(
    table.columns.map(({ scenario, metric, split }) => [scenario, metric, split]),
    [
      ['simple_mcqa', 'exact_match', 'test'],
      ['synthetic_reasoning_natural', 'f1_set_match', 'test'],
    ],
  );
  assert.deepEqual(
    table.rows.map(({ run, mean, meanWinRate, baseline }) => [run, mean, meanWinRate, baseline]),
    [
      ['merged', 0.625, 0.75, false],
      ['base', 0.375, 0.25, true],
      ['half', null, 0.5, false],
    ],
  );
  const [merged, base, half] = table.rows;
  assert.deepEqual(
    merged?.cells.map(({ value, best, delta, instances }) => [value, best, delta, instances]),
    [
      [0.75, true, 0.5, 4],
      [0.5, false, 0, 2],
    ],
  );
  assert.equal(base?.cells[0]?.best, false);
  assert.equal(base?.cells[1]?.best, false, 'where all are equal, none is best');
  assert.deepEqual(half?.cells[1], {
    value: null,
    interval: null,
    instances: 0,
    failed: 0,
    folder: null,
    best: false,
    delta: null,
    test: null,
  });
  const { p, low, high, ...difference } = merged?.cells[0]?.test ?? assert.fail();
  assert.deepEqual(difference, { pairs: 4, difference: 0.5 });
  assert.ok(p > 0.05 && low === 0 && high === 1, `${p} ${low} ${high}`);
  assert.equal(merged?.cells[1]?.test?.p, 1);
  assert.equal(base?.cells[0]?.test, null);
  assert.deepEqual(
    table.rows.map(({ challenge }) => challenge),
    [
      { tasks: 2, product: 0.5, geometricMean: Math.SQRT1_2 },
      { tasks: 2, product: 0, geometricMean: 0 },
      null,
    ],
  );
  assert.ok((merged?.cells[0]?.interval ?? 0) > 0.2);
  assert.equal(table.runs.length, 5);
  await assert.rejects(readScores(out, { baseline: 'bsae' }), (error: unknown) => {
    assert.ok(error instanceof UserError);
    assert.match(error.remedy ?? '', /base/);
    return true;
  });
  assert.deepEqual((await readScores(out, { suite: 'v2' })).rows.length, 1);
});

test('of two runs of the same thing the newest counts, and subjects share a column', async (t) => {
  const out = await folder(t);
  const mmlu = (subject: string, max: number) => ({
    run: `mmlu:subject=${subject},method=multiple_choice_joint,max_eval_instances=${max}`,
    groups: ['mmlu'],
    metric: 'exact_match',
    model: 'neurips/a',
  });
  await writeRun(out, { ...mmlu('anatomy', 2), values: [0, 0], changedAt: 100 });
  await writeRun(out, { ...mmlu('anatomy', 4), values: [1, 1, 1, 0], suite: 'old', changedAt: 50 });
  await writeRun(out, { ...mmlu('virology', 2), values: [1, 1], changedAt: 20 });
  const table = await readScores(out);
  assert.equal(table.columns.length, 1);
  assert.equal(table.rows[0]?.cells[0]?.value, 0.5);
  assert.equal(table.rows[0]?.cells[0]?.instances, 4);
});

test('groups of a conf file’s entry do not make a column', async (t) => {
  const out = await folder(t);
  const path = await writeRun(out, {
    ...gsm,
    groups: ['simple_mcqa', 'zeta', 'alpha'],
    model: 'neurips/a',
    values: [1],
  });
  const spec = {
    name: 'simple_mcqa:model=neurips_a,groups=alpha-zeta',
    groups: ['simple_mcqa', 'zeta', 'alpha'],
  };
  await writeFile(
    join(path, 'run_spec.json'),
    JSON.stringify({ ...spec, scenario_spec: { class_name: 'a.B' }, adapter_spec: { model: 'neurips/a' } }),
  );
  assert.deepEqual(
    (await readScores(out)).columns.map(({ scenario }) => scenario),
    ['simple_mcqa'],
  );
});

test('what a crashed helm-run leaves is told, and does not hide the other runs', async (t) => {
  const out = await folder(t);
  await writeRun(out, { ...gsm, model: 'neurips/good', values: [1, 0] });
  const broken = await writeRun(out, { ...gsm, model: 'neurips/broken', values: [1, 0] });
  await writeFile(join(broken, 'stats.json'), '[{"name": {"na');
  await mkdir(join(out, 'runs/v1/empty:model=x'));
  await mkdir(join(out, 'runs/v1/eval_cache'));
  const cut = await writeRun(out, { ...gsm, model: 'neurips/cut', values: [1, 0] });
  await writeFile(join(cut, 'per_instance_stats.json'), '[{"instance_id": "id0", "stats": [');
  const loose = await writeRun(out, { ...gsm, model: 'neurips/loose', values: [1, 1] });
  await writeFile(
    join(loose, 'stats.json'),
    '[{"name": {"name": "logprob", "split": "test"}, "count": 1, "sum": -Infinity, "min": NaN},' +
      '{"name": {"name": "exact_match", "split": "test"}, "count": 1, "sum": 1, "mean": 1}]',
  );
  const table = await readScores(out);
  assert.deepEqual(table.rows.map(({ run }) => run).sort(), ['good', 'loose']);
  assert.equal(table.problems.length, 3);
  assert.match(table.problems.join('\n'), /stats\.json.*no JSON/);
  assert.match(table.problems.join('\n'), /run_spec\.json/);
  assert.match(table.problems.join('\n'), /per_instance_stats\.json.*ends in the middle/);
});

test('without runs the error says how to get some', async (t) => {
  await assert.rejects(readScores(await folder(t)), (error: unknown) => {
    assert.ok(error instanceof UserError);
    assert.match(`${error.message} ${error.remedy}`, /no runs yet.*submission eval/);
    return true;
  });
});

test('win rates are HELM’s', () => {
  for (const { lower_is_better, rows, mean_win_rate } of golden.win_rate) {
    const rates = winRates(rows, lower_is_better).map(meanWinRate);
    assert.equal(rates.length, mean_win_rate.length);
    rates.forEach((rate, i) => {
      const expected = mean_win_rate[i] ?? null;
      if (expected === null || rate === null) assert.equal(rate, expected);
      else assert.ok(Math.abs(rate - expected) < 1e-12);
    });
  }
});

test('the bootstrap interval of a share is near its normal one, and the same each time', () => {
  const values = Array.from({ length: 400 }, (_, i) => (i % 4 === 0 ? 1 : 0));
  const interval = bootstrapInterval(values) ?? assert.fail();
  const normal = 1.96 * Math.sqrt((0.25 * 0.75) / 400);
  assert.ok(Math.abs(interval - normal) < 0.1 * normal, `${interval} against ${normal}`);
  assert.equal(bootstrapInterval(values), interval);
  assert.equal(bootstrapInterval([1, 1, 1]), 0);
  assert.equal(bootstrapInterval([1]), null);
});

test('the challenge’s score needs every task that is contested', () => {
  const { product, geometricMean } = challengeScore([0.5, null, 0.25], [true, false, true]) ?? assert.fail();
  assert.ok(Math.abs(product - 0.125) < 1e-12 && Math.abs(geometricMean - Math.sqrt(0.125)) < 1e-12);
  assert.equal(challengeScore([0.5, null], [true, true]), null);
  assert.equal(challengeScore([null], [false]), null);
});

test('the paired test finds a difference that unpaired intervals hide, and none where there is none', () => {
  const noise = Array.from({ length: 200 }, (_, i) => ((i * 37) % 101) / 101);
  const better = pairedTest([noise.map((value, i) => value + (i % 10 === 0 ? 0.1 : 0) - value)]);
  assert.ok(better && better.p < 0.01 && better.low > 0 && Math.abs(better.difference - 0.01) < 1e-12);
  const worse = pairedTest([noise.map((_, i) => (i % 10 === 0 ? -0.1 : 0))]);
  assert.ok(worse && worse.p < 0.01 && worse.high < 0);
  const same = pairedTest([noise.map((_, i) => (i % 2 === 0 ? 1 : -1))]);
  assert.ok(same && same.p > 0.9 && same.low < 0 && same.high > 0);
  assert.equal(pairedTest([[0, 0, 0]])?.p, 1);
  assert.equal(pairedTest([[1], []]), null);
  // Near the t test: a mean of 0.2 with a standard error of 0.1 is at p = 0.047.
  const spread = Array.from({ length: 100 }, (_, i) => 0.2 + (i % 2 === 0 ? 1 : -1));
  const { p } = pairedTest([spread]) ?? assert.fail();
  assert.ok(Math.abs(p - 0.047) < 0.02, `p ${p}`);
  // Parts count equally, however many instances they have.
  const parts = pairedTest([Array.from({ length: 98 }, () => 0), [1, 1]]);
  assert.equal(parts?.difference, 0.5);
});

test('the table is written in each form, safely', async (t) => {
  const out = await folder(t);
  await writeRun(out, { ...gsm, model: 'neurips/=cmd|<b>', values: [1, 0, 1, 1] });
  await writeRun(out, { ...gsm, model: 'neurips/base', values: [0, 1, 0, 0] });
  await writeRun(out, { ...natural, model: 'neurips/base', values: [1, 0] });
  const table = await readScores(out, { baseline: 'base' });
  const document = JSON.parse(formatScores(table, 'json'));
  assert.deepEqual(Object.keys(document), ['runs', 'scenarios', 'table', 'problems']);
  assert.deepEqual(document.table[0].scores, { simple_mcqa: 0.25, synthetic_reasoning_natural: 0.5 });
  assert.equal(document.runs.length, 3);
  const csv = formatScores(table, 'csv').split('\n');
  assert.equal(
    csv[0],
    'run,simple_mcqa,synthetic_reasoning_natural,mean,mean_win_rate,challenge_product,challenge_geometric_mean',
  );
  assert.match(csv[1] ?? '', /^base,0\.25,0\.5,0\.375,0,0,0$/);
  assert.match(csv[2] ?? '', /^'=cmd\|<b>,0\.75,,,1,1,1$/);
  const markdown = formatScores(table, 'markdown').split('\n');
  assert.match(
    markdown[2] ?? '',
    /^\| ★ base \| 25\.0 ± \d+\.\d \| 50\.0 ± \d+\.\d \| 37\.5 \| 0\.00 \| 0\.00 \(0\.00\) \|$/,
  );
  assert.match(
    markdown[3] ?? '',
    /^\| =cmd\\\|<b> \| \*\*75\.0 ± \d+\.\d\*\* \+50\.0 \(p = \d\.\d{3}\) \| – \| – \| 1\.00 \| 1\.00 \(1\.00\) \|$/,
  );
  const html = formatScores(table, 'html');
  assert.ok(html.includes('=cmd|&lt;b&gt;') && !html.includes('<b>'));
  assert.match(html, /<th scope="row">★ base<\/th>/);
});

test('items of a list are read one by one, wherever the chunks of the file end', async (t) => {
  const out = await folder(t);
  const items = Array.from({ length: 3000 }, (_, i) => ({
    id: i,
    text: `${'\\"]}['.repeat(i % 50)}é🙂\\`,
    inner: [{ value: i % 7 === 0 ? 'NaN' : i }],
  }));
  const file = join(out, 'list.json');
  await writeFile(
    file,
    JSON.stringify(
      { request_states_not: [{ a: 1 }], x: { request_states: [1] }, request_states: items },
      null,
      2,
    ),
  );
  const read: unknown[] = [];
  for await (const item of readJsonItems(file, 'request_states')) read.push(item);
  assert.deepEqual(read, items);
  await writeFile(file, JSON.stringify(items));
  let count = 0;
  for await (const item of readJsonItems(file)) assert.deepEqual(item, items[count++]);
  assert.equal(count, items.length);
});
