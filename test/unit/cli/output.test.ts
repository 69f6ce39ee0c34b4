import assert from 'node:assert/strict';
import { test } from 'node:test';
import { progressLine } from '../../../src/cli/progress-bar.ts';
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
