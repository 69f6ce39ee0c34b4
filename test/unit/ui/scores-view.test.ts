import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  bestMeans,
  cellText,
  decimalsFor,
  moveInGrid,
  type ViewCell,
  type ViewColumn,
  type ViewRow,
  visibleRows,
} from '../../../webview/scores/view-model.ts';

function cell(value: number | null, change: Partial<ViewCell> = {}): ViewCell {
  const none = { interval: null, instances: 100, failed: 0, best: false, delta: null, folder: null };
  return { value, ...none, ...change };
}

function row(run: string, mean: number | null, cells: ViewCell[] = [cell(mean)]): ViewRow {
  return { run, baseline: false, mean, meanWinRate: null, changedAt: 0, cells };
}

const column: ViewColumn = {
  scenario: 'gsm',
  title: 'gsm',
  metric: 'exact_match',
  split: 'test',
  lowerIsBetter: false,
};
const table = {
  columns: [column],
  rows: [row('b2', 0.5), row('none', null), row('b10', 0.7), row('a', 0.6)],
  problems: [],
};
const names = (rows: readonly ViewRow[]) => rows.map(({ run }) => run);
const all = { filter: '', onlyCompared: false };

describe('order and filter of the runs', () => {
  it('runs without a value come last in both directions', () => {
    const sorted = (descending: boolean) =>
      names(visibleRows(table, { ...all, sort: { key: 'mean', descending } }, new Set()));
    assert.deepEqual(sorted(true), ['b10', 'a', 'b2', 'none']);
    assert.deepEqual(sorted(false), ['b2', 'a', 'b10', 'none']);
  });

  it('sorts by a scenario, and names as people count', () => {
    const byScenario = { key: 'scenario:gsm', descending: true };
    assert.equal(visibleRows(table, { ...all, sort: byScenario }, new Set())[0]?.run, 'b10');
    const byName = visibleRows(table, { ...all, sort: { key: 'run', descending: false } }, new Set());
    assert.deepEqual(names(byName), ['a', 'b2', 'b10', 'none']);
  });

  it('filters by a part of the name, in any case, and to the compared runs', () => {
    const sort = { key: 'run', descending: false };
    assert.deepEqual(names(visibleRows(table, { ...all, filter: ' B1 ', sort }, new Set())), ['b10']);
    const compared = visibleRows(table, { filter: '', onlyCompared: true, sort }, new Set(['a', 'none']));
    assert.deepEqual(names(compared), ['a', 'none']);
  });

  it('leaves the table as it came', () => {
    visibleRows(table, { ...all, sort: { key: 'mean', descending: true } }, new Set());
    assert.deepEqual(names(table.rows), ['b2', 'none', 'b10', 'a']);
  });
});

describe('digits', () => {
  it('are as many as the widest interval supports', () => {
    assert.equal(decimalsFor([cell(0.5, { interval: 0.12 })]), 0);
    assert.equal(decimalsFor([cell(0.5, { interval: 0.031 }), cell(0.5, { interval: 0.004 })]), 1);
    assert.equal(decimalsFor([cell(0.5, { interval: 0.0042 })]), 2);
    assert.equal(decimalsFor([cell(1, { interval: 0 }), cell(0.5)]), 1);
  });
});

describe('a cell', () => {
  it('without a value is a dash, a failed one says how many failed, neither is 0', () => {
    assert.equal(cellText(cell(null), column, 1).value, '–');
    assert.equal(cellText(cell(null, { failed: 100 }), column, 1).value, 'failed 100/100');
    const partly = cellText(cell(0.4, { failed: 3 }), column, 1);
    assert.deepEqual([partly.value, partly.failed], ['40.0', 'failed 3/100']);
    assert.equal(cellText(cell(0), column, 1).value, '0.0');
  });

  it('is marked only when it differs by more than both intervals together', () => {
    const base = { run: 'base', cell: cell(0.5, { interval: 0.03 }) };
    const text = (delta: number, lowerIsBetter = false) =>
      cellText(cell(0.5 + delta, { interval: 0.04, delta }), { ...column, lowerIsBetter }, 1, base);
    assert.equal(text(0.049).mark, undefined);
    assert.deepEqual(text(0.051).mark, { symbol: '▲', better: true });
    assert.deepEqual(text(-0.051).mark, { symbol: '▼', better: false });
    assert.deepEqual(text(-0.051, true).mark, { symbol: '▼', better: true });
    assert.match(text(0.051).words, /5\.1 above base, beyond the intervals/);
    assert.match(text(0.02).words, /2\.0 above base, within the intervals/);
  });

  it('says its interval, metric and instances in words', () => {
    const { words } = cellText(cell(0.581, { interval: 0.034, best: true }), column, 1);
    assert.equal(words, 'gsm: 58.1 ± 3.4, exact_match in percent, 100 instances, best of its column');
  });
});

describe('the best mean', () => {
  it('is shared by equals, and nobody’s when there is one run only', () => {
    assert.deepEqual([...bestMeans([row('a', 0.5), row('b', 0.5), row('c', 0.1)])], ['a', 'b']);
    assert.deepEqual([...bestMeans([row('a', 0.5), row('b', null)])], []);
  });
});

describe('arrow keys', () => {
  it('move within the grid and stop at its edges', () => {
    const size = { rows: 3, columns: 4 };
    assert.deepEqual(moveInGrid('ArrowDown', { row: 2, column: 1 }, size), { row: 2, column: 1 });
    assert.deepEqual(moveInGrid('ArrowRight', { row: 1, column: 1 }, size), { row: 1, column: 2 });
    assert.deepEqual(moveInGrid('End', { row: 1, column: 0 }, size), { row: 1, column: 3 });
    assert.equal(moveInGrid('x', { row: 0, column: 0 }, size), undefined);
  });
});
