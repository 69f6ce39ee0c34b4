import type { ViewTable } from '../../src/ui/scores/messages.ts';
import { h, icon } from '../shared/dom.ts';
import {
  bestMeans,
  cellText,
  decimalsFor,
  moveInGrid,
  type Sort,
  type SortKey,
  scenarioKey,
  type ViewColumn,
  type ViewRow,
} from './view-model.ts';

export interface TableOptions {
  readonly table: ViewTable;
  /** The rows to show, in order. */
  readonly rows: readonly ViewRow[];
  readonly hidden: ReadonlySet<SortKey>;
  readonly compared: ReadonlySet<string>;
  readonly sort: Sort;
  onSort(key: SortKey): void;
  onCompare(run: string): void;
}

interface Heading {
  readonly key: SortKey;
  readonly title: string;
  readonly detail: string;
  /** Full words for the hover. */
  readonly words: string;
}

function headings({ table, hidden }: TableOptions): Heading[] {
  const scenarios = table.columns.map((column) => ({
    key: scenarioKey(column),
    title: column.title,
    detail: `${column.metric} ${column.lowerIsBetter ? '↓' : '↑'}`,
    words: `${column.metric} on the ${column.split} split, ${column.lowerIsBetter ? 'lower' : 'higher'} is better`,
  }));
  const all: Heading[] = [
    { key: 'mean', title: 'mean', detail: 'of all ↑', words: 'Plain mean over all scenarios' },
    ...scenarios,
    {
      key: 'winRate',
      title: 'win rate',
      detail: 'mean ↑',
      words: 'Share of the other runs that a run beats, averaged over the scenarios',
    },
  ];
  return all.filter(({ key }) => !hidden.has(key));
}

function headCell({ key, title, detail, words }: Heading, sort: Sort, onSort: (key: SortKey) => void) {
  const sorted = sort.key === key;
  const direction = sort.descending ? 'descending' : 'ascending';
  const cell = h(
    'th',
    {
      scope: 'col',
      role: 'columnheader',
      title: words,
      'aria-sort': sorted ? direction : 'none',
      class: key === 'run' ? 'run' : 'number',
    },
    h(
      'span',
      { class: 'heading' },
      h('span', { class: 'heading-title' }, title),
      sorted && icon(sort.descending ? 'arrow-down' : 'arrow-up'),
    ),
    detail !== '' && h('span', { class: 'heading-detail' }, detail),
  );
  cell.addEventListener('click', () => onSort(key));
  return cell;
}

function scoreCell(options: TableOptions, row: ViewRow, column: ViewColumn, at: number): HTMLElement {
  const { table } = options;
  const cell = row.cells[at];
  if (cell === undefined) return h('td', { role: 'gridcell' });
  const decimals = decimalsFor(table.rows.flatMap(({ cells }) => cells[at] ?? []));
  const base = table.rows.find(({ baseline }) => baseline);
  const compared = base && base.run !== row.run ? { run: base.run, cell: base.cells[at] } : undefined;
  const { value, failed, mark, words } = cellText(cell, column, decimals, compared);
  return h(
    'td',
    { role: 'gridcell', class: `number${cell.best ? ' best' : ''}`, title: words },
    h('span', { class: 'value', 'aria-hidden': 'true' }, value),
    h(
      'span',
      { class: `mark${mark ? (mark.better ? ' better' : ' worse') : ''}`, 'aria-hidden': 'true' },
      mark?.symbol ?? '',
    ),
    failed !== '' && h('span', { class: 'failed', 'aria-hidden': 'true' }, failed),
    h('span', { class: 'sr-only' }, words),
  );
}

function plainCell(text: string, best: boolean, words: string): HTMLElement {
  return h(
    'td',
    { role: 'gridcell', class: `number${best ? ' best' : ''}` },
    h('span', { class: 'sr-only' }, `${words}: `),
    h('span', { class: 'value' }, text),
    h('span', { class: 'mark' }),
  );
}

function runCell(row: ViewRow, options: TableOptions): HTMLElement {
  const checked = options.compared.has(row.run);
  const box = h('input', { type: 'checkbox', tabindex: -1, 'aria-label': `Compare ${row.run}` });
  box.checked = checked;
  box.addEventListener('change', () => options.onCompare(row.run));
  const words = [row.baseline && 'the baseline', checked && 'chosen for comparison'].filter(Boolean);
  return h(
    'th',
    { scope: 'row', role: 'rowheader', class: 'run' },
    h(
      'span',
      { class: 'run-line' },
      box,
      h('span', { class: 'run-name', title: row.run }, row.run),
      row.baseline && icon('star-full'),
      words.length > 0 && h('span', { class: 'sr-only' }, words.join(', ')),
    ),
  );
}

/** The runs side by side: a grid that arrow keys move in. */
export function scoreTable(options: TableOptions): HTMLElement {
  const { table, rows, hidden, sort, onSort } = options;
  const best = bestMeans(table.rows);
  const run: Heading = { key: 'run', title: 'run', detail: '', words: 'Name of the run' };
  const body = rows.map((row) =>
    h(
      'tr',
      { role: 'row', 'data-run': row.run, class: row.baseline ? 'baseline' : undefined },
      runCell(row, options),
      !hidden.has('mean') &&
        plainCell(row.mean === null ? '–' : (100 * row.mean).toFixed(1), best.has(row.run), 'mean'),
      ...table.columns.map(
        (column, at) => !hidden.has(scenarioKey(column)) && scoreCell(options, row, column, at),
      ),
      !hidden.has('winRate') &&
        plainCell(row.meanWinRate === null ? '–' : row.meanWinRate.toFixed(2), false, 'win rate'),
    ),
  );
  const grid = h(
    'table',
    { role: 'grid', 'aria-label': 'Scores of the runs', class: 'scores' },
    h(
      'thead',
      {},
      h('tr', { role: 'row' }, ...[run, ...headings(options)].map((one) => headCell(one, sort, onSort))),
    ),
    h('tbody', {}, ...body),
  );
  makeNavigable(grid, options);
  return grid;
}

/** One cell of the grid is in the tab order; arrows move it. */
function makeNavigable(grid: HTMLTableElement, options: TableOptions): void {
  const cellAt = (row: number, column: number) => grid.rows[row]?.cells[column];
  for (const row of grid.rows) for (const cell of row.cells) cell.tabIndex = -1;
  const first = cellAt(grid.rows.length > 1 ? 1 : 0, 0);
  if (first) first.tabIndex = 0;
  grid.addEventListener('focusin', ({ target }) => {
    const cell = (target as Element).closest('td,th') as HTMLTableCellElement | null;
    if (cell === null) return;
    for (const other of grid.querySelectorAll<HTMLElement>('[tabindex="0"]')) other.tabIndex = -1;
    cell.tabIndex = 0;
  });
  grid.addEventListener('keydown', (event) => {
    const cell = (event.target as Element).closest('td,th') as HTMLTableCellElement | null;
    const row = cell?.parentElement as HTMLTableRowElement | null;
    if (cell === null || row === null || event.ctrlKey || event.metaKey || event.altKey) return;
    const at = { row: row.rowIndex, column: cell.cellIndex };
    const next = moveInGrid(event.key, at, { rows: grid.rows.length, columns: row.cells.length });
    if (next !== undefined) cellAt(next.row, next.column)?.focus();
    else if (event.key === 'Enter' && at.row === 0) cell.click();
    else if (event.key === ' ' && row.dataset.run !== undefined) options.onCompare(row.dataset.run);
    else return;
    event.preventDefault();
  });
}

/** Where the focus stands in a grid, so that a new one can have it in the same place. */
export function focusPlace(grid: Element | null): { run: string | undefined; column: number } | undefined {
  const cell = document.activeElement?.closest('td,th') as HTMLTableCellElement | null | undefined;
  if (!cell || !grid?.contains(cell)) return undefined;
  return { run: (cell.parentElement as HTMLTableRowElement).dataset.run, column: cell.cellIndex };
}

export function restoreFocus(grid: HTMLElement, place: ReturnType<typeof focusPlace>): void {
  if (place === undefined) return;
  const rows = [...grid.querySelectorAll('tr')];
  const row = rows.find((candidate) => candidate.dataset.run === place.run);
  row?.cells[place.column]?.focus({ preventScroll: true });
}
