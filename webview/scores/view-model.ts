// What the Scores page shows, worked out without a page: order, filter, digits, words.
import type { ViewTable } from '../../src/ui/scores/messages.ts';

export type ViewRow = ViewTable['rows'][number];
export type ViewCell = ViewRow['cells'][number];
export type ViewColumn = ViewTable['columns'][number];

/** `run`, `mean`, `winRate`, or a scenario's name with `scenario:` before it. */
export type SortKey = string;

export interface Sort {
  readonly key: SortKey;
  readonly descending: boolean;
}

export interface Selection {
  readonly sort: Sort;
  /** Part of a run's name, in any case. */
  readonly filter: string;
  readonly onlyCompared: boolean;
}

export const scenarioKey = (column: ViewColumn): SortKey => `scenario:${column.scenario}`;

function sortValue(table: ViewTable, row: ViewRow, key: SortKey): number | null {
  if (key === 'mean') return row.mean;
  if (key === 'winRate') return row.meanWinRate;
  const at = table.columns.findIndex((column) => scenarioKey(column) === key);
  return row.cells[at]?.value ?? null;
}

/** The rows to show, in order. Runs without a value come last, whatever the direction. */
export function visibleRows(
  table: ViewTable,
  { sort, filter, onlyCompared }: Selection,
  compared: ReadonlySet<string>,
): ViewRow[] {
  const wanted = filter.trim().toLowerCase();
  const rows = table.rows.filter(
    ({ run }) => run.toLowerCase().includes(wanted) && (!onlyCompared || compared.has(run)),
  );
  const direction = sort.descending ? -1 : 1;
  return rows.sort((a, b) => {
    const byName = a.run.localeCompare(b.run, undefined, { numeric: true });
    if (sort.key === 'run') return direction * byName;
    const [left, right] = [sortValue(table, a, sort.key), sortValue(table, b, sort.key)];
    if (left === null || right === null) return Number(left === null) - Number(right === null) || byName;
    return direction * (left - right) || byName;
  });
}

/**
 * Decimals that a column's numbers (percent) get: two significant digits of the widest interval, one decimal where no
 * interval is known.
 */
export function decimalsFor(cells: readonly ViewCell[]): number {
  const intervals = cells.flatMap(({ interval }) => (interval ? 100 * interval : []));
  if (intervals.length === 0) return 1;
  return Math.max(0, Math.min(2, 1 - Math.floor(Math.log10(Math.max(...intervals)))));
}

const points = (share: number, decimals: number) => (100 * share).toFixed(decimals);

/** What a cell says of itself. */
export interface CellText {
  /** `61.2`, `–`, or `failed 100/100`. */
  readonly value: string;
  /** `failed 3/100` beside a value. */
  readonly failed: string;
  /** The difference to the baseline is larger than the intervals of both. */
  readonly mark?: { readonly symbol: '▲' | '▼'; readonly better: boolean };
  /** All of it in words, for the hover and for screen readers. */
  readonly words: string;
}

function markOf(cell: ViewCell, base: ViewCell | undefined, lowerIsBetter: boolean): CellText['mark'] {
  const { delta, interval } = cell;
  if (delta === null || delta === 0 || interval === null || base?.interval == null) return undefined;
  if (Math.abs(delta) <= Math.hypot(interval, base.interval)) return undefined;
  return { symbol: delta > 0 ? '▲' : '▼', better: delta > 0 !== lowerIsBetter };
}

/** @param baseline the baseline's row and its cell in this column */
export function cellText(
  cell: ViewCell,
  column: ViewColumn,
  decimals: number,
  baseline?: { readonly run: string; readonly cell: ViewCell | undefined },
): CellText {
  const failed = cell.failed > 0 ? `failed ${cell.failed}/${cell.instances}` : '';
  if (cell.value === null) {
    return { value: failed || '–', failed: '', words: `${column.title}: ${failed || 'no value'}` };
  }
  const value = points(cell.value, decimals);
  const mark = baseline && markOf(cell, baseline.cell, column.lowerIsBetter);
  const words = [
    `${column.title}: ${value}${cell.interval === null ? '' : ` ± ${points(cell.interval, decimals)}`}`,
    `${column.metric} in percent, ${cell.instances} instances`,
    failed,
    cell.best && 'best of its column',
    cell.delta !== null && baseline && deltaWords(cell.delta, decimals, baseline.run, mark),
  ];
  return { value, failed, ...(mark && { mark }), words: words.filter(Boolean).join(', ') };
}

function deltaWords(delta: number, decimals: number, base: string, mark: CellText['mark']): string {
  const size = points(Math.abs(delta), decimals);
  if (Number(size) === 0) return `as ${base}`;
  const beyond = mark ? ', beyond the intervals' : ', within the intervals';
  return `${size} ${delta > 0 ? 'above' : 'below'} ${base}${beyond}`;
}

/** The runs with the highest mean; one alone is not the best of anything. */
export function bestMeans(rows: readonly ViewRow[]): ReadonlySet<string> {
  const known = rows.filter(({ mean }) => mean !== null);
  const most = Math.max(...known.map(({ mean }) => mean ?? 0));
  return new Set(known.length < 2 ? [] : known.filter(({ mean }) => mean === most).map(({ run }) => run));
}

/** Moves through a grid with the arrow keys; undefined for keys that do not move. */
export function moveInGrid(
  key: string,
  at: { readonly row: number; readonly column: number },
  size: { readonly rows: number; readonly columns: number },
): { row: number; column: number } | undefined {
  const steps: Readonly<Record<string, readonly [row: number, column: number]>> = {
    ArrowUp: [-1, 0],
    ArrowDown: [1, 0],
    ArrowLeft: [0, -1],
    ArrowRight: [0, 1],
    Home: [0, -size.columns],
    End: [0, size.columns],
  };
  const step = steps[key];
  if (step === undefined) return undefined;
  const clamp = (value: number, most: number) => Math.max(0, Math.min(most - 1, value));
  return { row: clamp(at.row + step[0], size.rows), column: clamp(at.column + step[1], size.columns) };
}
