import assert from 'node:assert/strict';
import { test } from 'node:test';
import { problemLines } from '../../../src/cli/helm-verbs.ts';
import { progressLine } from '../../../src/cli/progress-bar.ts';
import { scoresText } from '../../../src/cli/scores-text.ts';
import { textTable } from '../../../src/cli/table.ts';

test('progress says share, amount, what is left and what is being done', () => {
  assert.equal(
    progressLine({ done: 25, total: 100, unit: 'requests', message: 'reverse' }, 10),
    '██████░░░░░░░░░░░░░░░░░░ 25 % · 25 of 100 requests · 30 s left reverse',
  );
  assert.equal(
    progressLine({ done: 1e6, total: 1e6, unit: 'bytes' }, 10),
    '████████████████████████ 100 % · 1 MB of 1 MB',
  );
  assert.match(progressLine({ done: 0, total: 0, unit: 'tensors' }, 0), / 0 % · 0 of 0 tensors$/);
});

test('tables align names to the left and numbers to the right, with no trailing blanks', () => {
  assert.equal(
    textTable([
      ['', 'task'],
      ['expert-1', '0.5'],
      ['base', ''],
    ]),
    '          task\nexpert-1   0.5\nbase',
  );
});

test('a problem that many runs have is said once', () => {
  assert.deepEqual(
    problemLines([
      { name: 'a', problems: ['answered 500', 'not sent'] },
      { name: 'b', problems: ['not sent'] },
      { name: 'c', problems: [] },
    ]),
    ['a: answered 500', '2 runs: not sent'],
  );
});

test('scores read well on a terminal: a line for each scenario, a column for each run', () => {
  const cell = {
    interval: 0.05,
    instances: 10,
    failed: 0,
    best: false,
    delta: null,
    test: null,
    folder: null,
  };
  const columns = [
    { scenario: 'x', title: 'reverse', metric: 'exact_match', split: 'test', lowerIsBetter: false },
  ];
  const row = { mean: 0.2, challenge: null, meanWinRate: null, changedAt: 0, baseline: false };
  const one = scoresText({ columns, rows: [{ ...row, run: 'base', cells: [{ ...cell, value: 0.2 }] }] });
  assert.equal(
    one,
    '               base\nreverse  20.0 ± 5.0\nmean           20.0\n\npoints of 100 · ± 95 % bootstrap interval',
  );
  const two = scoresText({
    columns,
    rows: [
      { ...row, run: 'base', baseline: true, cells: [{ ...cell, value: 0.2, delta: 0 }] },
      { ...row, run: 'merged', cells: [{ ...cell, value: 0.1, best: true, delta: -0.1 }] },
      { ...row, run: 'lost', mean: null, cells: [{ ...cell, value: null, interval: null, failed: 10 }] },
    ],
  });
  assert.deepEqual(two.split('\n').slice(0, 4), [
    '               base (baseline)               merged          lost',
    'reverse             20.0 ± 5.0  *10.0 ± 5.0 (−10.0)  failed 10/10',
    'mean                      20.0                 20.0             –',
    'mean win rate                –                    –             –',
  ]);
});
