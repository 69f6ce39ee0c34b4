import assert from 'node:assert/strict';
import { test } from 'node:test';
import { calibrationStats } from '../../../src/helm/metrics/calibration.ts';
import { porterStem } from '../../../src/helm/metrics/porter.ts';
import { Stat } from '../../../src/helm/metrics/stat.ts';
import { normalize, stringMetrics } from '../../../src/helm/metrics/strings.ts';
import { golden } from './golden.ts';

function close(actual: number | undefined, expected: number, what: string): void {
  assert.ok(
    actual !== undefined && Math.abs(actual - expected) <= 1e-12,
    `${what}: ${actual} is not ${expected}`,
  );
}

test('string metrics score as HELM’s do', () => {
  for (const entry of golden.text_metrics) {
    const { gold, pred, normalized_gold, normalized_pred, ...scores } = entry as unknown as Record<
      string,
      string
    >;
    assert.ok(gold !== undefined && pred !== undefined);
    assert.equal(normalize(gold), normalized_gold, JSON.stringify(gold));
    assert.equal(normalize(pred), normalized_pred, JSON.stringify(pred));
    for (const [name, score] of Object.entries(scores)) {
      const metric = stringMetrics[name];
      assert.ok(metric, `${name} is missing`);
      close(metric(gold, pred), Number(score), `${name} of ${JSON.stringify([gold, pred])}`);
    }
  }
});

test('words are stemmed as NLTK stems them', () => {
  for (const [word, stem] of Object.entries(golden.porter_nltk_extensions)) {
    assert.equal(porterStem(word), stem, word);
  }
});

test('calibration is that of uncertainty-calibration', () => {
  for (const entry of golden.calibration) {
    const { max_prob, correct, ...expected } = entry as unknown as Record<string, number[]>;
    const answers = (max_prob ?? []).map((confidence, index) => ({
      confidence,
      correct: correct?.[index] === 1 ? (1 as const) : (0 as const),
    }));
    const stats = new Map(calibrationStats(answers).map((stat) => [stat.name.name, stat.mean]));
    for (const [name, value] of Object.entries(expected)) {
      const fitted = name.startsWith('platt') && !stats.has(name);
      if (!fitted) close(stats.get(name), Number(value), name);
    }
    assert.ok(stats.has('ece_10_bin') && stats.has('selective_acc@10'));
  }
});

test('a statistic adds, merges and takes its mean as HELM’s does', () => {
  const stat = new Stat({ name: 'x' });
  const expect = (key: string, actual: Stat) => {
    const json: Readonly<Record<string, unknown>> = { ...actual.toJson() };
    for (const [field, value] of Object.entries(golden.stat[key] ?? assert.fail(key))) {
      close(json[field] as number, value, `${key}.${field}`);
    }
  };
  for (const value of [1, 0, 0.5, undefined, true]) stat.add(value);
  expect('add[1,0,0.5,null,true]', stat);
  stat.merge(new Stat({ name: 'x' }).add(2.5));
  expect('then_merge[2.5]', stat);
  expect('take_mean', stat.takeMean());
});

test('a statistic without values has none to show', () => {
  const empty = new Stat({ name: 'training_co2_cost', split: 'test' });
  assert.deepEqual(JSON.parse(JSON.stringify(empty.toJson())), {
    name: { name: 'training_co2_cost', split: 'test' },
    count: 0,
    sum: 0,
    sum_squared: 0,
  });
  assert.equal(empty.add(Number.NaN).finite, false);
});
