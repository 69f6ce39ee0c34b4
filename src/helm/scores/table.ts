import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { describeError, fromSystemError, UserError } from '../../base/index.ts';
import { suggest } from '../conf/nearest.ts';
import { mainMetrics, shownSplit } from '../run/main-metrics.ts';
import { type Run, readInstanceValues, readRun } from '../run/read.ts';
import type { ScoreCell, ScoreColumn, ScoredRun, ScoreRow, ScoreTable } from '../types.ts';
import { columnOf, sameRunKey } from './columns.ts';
import { bootstrapInterval, challengeScore, meanWinRate, pairedTest, winRates } from './statistics.ts';

export interface ScoreOptions {
  /** The run that the others are compared with. */
  readonly baseline?: string;
  /** Only the runs of this suite. */
  readonly suite?: string;
}

interface Scored extends ScoredRun {
  readonly column: ScoreColumn;
  readonly key: string;
  readonly value: number | null;
  readonly interval: number | null;
  /** Values by instance. */
  readonly values: ReadonlyMap<string, number>;
  readonly changedAt: number;
}

/** Folders of a suite that hold no run. */
const noRuns = new Set(['eval_cache', 'groups']);

/**
 * All runs below `<out>/runs/` side by side: a row for each submission, a column for each scenario. Of runs of the same
 * thing the newest counts; several runs in one cell (subjects, shots) count equally, as in HELM.
 * @throws UserError where there are no runs, or the baseline is none of them
 */
export async function readScores(out: string, options: ScoreOptions = {}): Promise<ScoreTable> {
  const problems: string[] = [];
  const all = await readAll(resolve(out), options.suite, problems);
  const runs = newest(all);
  const columns = new Map(runs.map(({ column }) => [column.scenario, column]));
  const names = [...new Set(runs.map(({ run }) => run))];
  const { baseline } = options;
  if (baseline !== undefined && !names.includes(baseline)) {
    throw new UserError(`There is no run "${baseline}" to compare with`, {
      place: { field: 'baseline' },
      remedy: suggest(baseline, names),
    });
  }
  return {
    columns: [...columns.values()],
    rows: makeRows(runs, [...columns.values()], names, baseline),
    runs: all.map(
      ({ column: _c, key: _k, value: _v, interval: _i, values: _s, changedAt: _a, ...run }) => run,
    ),
    problems,
  };
}

async function readAll(out: string, suite: string | undefined, problems: string[]): Promise<Scored[]> {
  const root = join(out, 'runs');
  const suites = await folders(root).catch((error: unknown) => {
    throw new UserError('There are no runs yet', {
      place: { file: root },
      remedy: 'Evaluate an endpoint first: `submission eval URL`.',
      cause: fromSystemError(error, 'Cannot list the runs', root),
    });
  });
  const scored: Scored[] = [];
  for (const name of suites.filter((candidate) => suite === undefined || candidate === suite)) {
    const found = (await folders(join(root, name))).filter((folder) => !noRuns.has(folder));
    const read = await Promise.all(
      found.map((folder) =>
        score(join(root, name, folder), name).catch((error: unknown) => {
          problems.push(describeError(error));
          return undefined;
        }),
      ),
    );
    scored.push(...read.filter((run) => run !== undefined));
  }
  return scored;
}

async function folders(path: string): Promise<string[]> {
  const entries = await readdir(path, { withFileTypes: true });
  return entries
    .filter((entry) => (entry.isDirectory() || entry.isSymbolicLink()) && !entry.name.startsWith('.'))
    .map(({ name }) => name)
    .sort();
}

async function score(folder: string, suite: string): Promise<Scored> {
  const run = await readRun(folder);
  const column = columnOf(run);
  const metrics = mainMetrics(run.stats, column);
  const split = shownSplit(run.stats, column.split);
  const values = await readInstanceValues(folder, column.metric, split);
  return {
    name: run.name,
    suite,
    folder,
    run: submissionName(run),
    scenario: column.scenario,
    instances: run.instances,
    failed: run.failed,
    metrics,
    column: { ...column, split },
    key: sameRunKey(run),
    value: metrics[column.metric] ?? null,
    interval: bootstrapInterval([...values.values()]),
    values,
    changedAt: run.changedAt,
  };
}

function submissionName({ model, name }: Run): string {
  const known = model || (/[:,]model=([^,]*)/.exec(name)?.[1] ?? name);
  return known.replace(/^neurips[/_]/, '');
}

/** Of runs of the same thing by the same submission, in whatever suites, the newest. */
function newest(runs: readonly Scored[]): Scored[] {
  const byKey = new Map<string, Scored>();
  for (const run of runs) {
    const key = `${run.run}\n${run.key}`;
    const known = byKey.get(key);
    if (!known || run.changedAt >= known.changedAt) byKey.set(key, run);
  }
  return [...byKey.values()];
}

function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

type PlainCell = Omit<ScoreCell, 'best' | 'delta' | 'test'>;

function makeCell(runs: readonly Scored[]): PlainCell {
  const values = runs.flatMap(({ value }) => value ?? []);
  const intervals = runs.flatMap(({ interval }) => interval ?? []);
  const complete = values.length > 0 && intervals.length === runs.length;
  return {
    value: values.length === 0 ? null : average(values),
    // Runs are asked independently of each other, so that their errors add in squares.
    interval: complete ? Math.hypot(...intervals) / intervals.length : null,
    instances: runs.reduce((sum, { instances }) => sum + instances, 0),
    failed: runs.reduce((sum, { failed }) => sum + failed, 0),
    folder: runs[0]?.folder ?? null,
  };
}

/** Tests the runs of one cell against those of the same things in another. */
function compare(runs: readonly Scored[], others: readonly Scored[]): ScoreCell['test'] {
  return pairedTest(
    runs.map(({ key, values }) => {
      const other = others.find((candidate) => candidate.key === key)?.values;
      return [...values].flatMap(([id, value]) => {
        const theirs = other?.get(id);
        return theirs === undefined ? [] : [value - theirs];
      });
    }),
  );
}

function makeRows(
  runs: readonly Scored[],
  columns: readonly ScoreColumn[],
  names: readonly string[],
  baseline: string | undefined,
): ScoreRow[] {
  const plain = names.map((name) => {
    const own = runs.filter(({ run }) => run === name);
    const byColumn = columns.map(({ scenario }) => own.filter((run) => run.scenario === scenario));
    return {
      name,
      byColumn,
      cells: byColumn.map(makeCell),
      changedAt: Math.max(...own.map(({ changedAt }) => changedAt)),
    };
  });
  const values = plain.map(({ cells }) => cells.map(({ value }) => value));
  const best = columns.map(({ lowerIsBetter }, column) => {
    const known = values.flatMap((row) => row[column] ?? []);
    // Where all are equal, none is best.
    if (new Set(known).size < 2) return undefined;
    return lowerIsBetter ? Math.min(...known) : Math.max(...known);
  });
  const rates = winRates(
    values,
    columns.map(({ lowerIsBetter }) => lowerIsBetter),
  );
  const contested = columns.map((_, column) => rates.some((row) => row[column] !== null));
  const reference = plain.find(({ name }) => name === baseline);
  const rows = plain.map(({ name, cells, byColumn, changedAt }, row): ScoreRow => {
    const own = rates[row] ?? [];
    const known = cells.flatMap(({ value }) => value ?? []);
    return {
      run: name,
      baseline: name === baseline,
      mean: known.length === columns.length && known.length > 0 ? average(known) : null,
      meanWinRate: meanWinRate(own),
      challenge: challengeScore(own, contested),
      cells: cells.map((cell, column): ScoreCell => {
        const base = reference?.cells[column]?.value ?? null;
        const others = name === baseline ? [] : (reference?.byColumn[column] ?? []);
        return {
          ...cell,
          best: cell.value !== null && cell.value === best[column],
          delta: cell.value === null || base === null ? null : cell.value - base,
          test: compare(byColumn[column] ?? [], others),
        };
      }),
      changedAt,
    };
  });
  return rows.sort((a, b) => (b.mean ?? -1) - (a.mean ?? -1) || (a.run < b.run ? -1 : 1));
}
