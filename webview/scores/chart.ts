import type { ViewTable } from '../../src/ui/scores/messages.ts';
import { h, svg } from '../shared/dom.ts';
import { cellText, decimalsFor, type ViewRow } from './view-model.ts';

/** More would not be told apart by colour and shape. */
export const mostSeries = 8;

const rowHeight = 16;
const bandGap = 14;
const axisHeight = 24;
const dot = 4.5;
/** Of the widest usual letters, so that labels fit. */
const letterWidth = 7.5;

/** A mark of its own for each run, so that colour is not the only difference. */
function marker(series: number, x: number, y: number): SVGElement {
  const shapes = [
    () => svg('circle', { cx: x, cy: y, r: dot }),
    () => svg('rect', { x: x - 4, y: y - 4, width: 8, height: 8 }),
    () => svg('path', { d: `M${x} ${y - 5.5}l5.5 9.5h-11z` }),
    () => svg('path', { d: `M${x} ${y - 5.5}l5.5 5.5-5.5 5.5-5.5-5.5z` }),
  ];
  const shape = shapes[series % shapes.length]?.() ?? shapes[0]?.();
  const filled = series < shapes.length;
  shape?.setAttribute('class', `marker series-${series % 6}${filled ? '' : ' hollow'}`);
  return shape as SVGElement;
}

function legend(rows: readonly ViewRow[]): HTMLElement {
  return h(
    'ul',
    { class: 'legend' },
    ...rows.map(({ run }, series) =>
      h('li', {}, svg('svg', { width: 14, height: 14, 'aria-hidden': 'true' }, marker(series, 7, 7)), run),
    ),
  );
}

/** One dot a run and scenario with its interval, from 0 to 100. */
function dots(table: ViewTable, rows: readonly ViewRow[], width: number): SVGElement {
  const longest = Math.max(...table.columns.map(({ title }) => title.length));
  const left = Math.min(longest * letterWidth + 24, width * 0.4);
  const right = 16;
  const x = (share: number) => left + share * (width - left - right);
  const bandHeight = rows.length * rowHeight;
  const height = table.columns.length * (bandHeight + bandGap) + axisHeight;
  const marks: SVGElement[] = [0, 0.25, 0.5, 0.75, 1].flatMap((share) => [
    svg('line', { class: 'grid', x1: x(share), x2: x(share), y1: 0, y2: height - axisHeight }),
    svg('text', { class: 'tick', x: x(share), y: height - 6, 'text-anchor': 'middle' }, String(100 * share)),
  ]);
  for (const [at, column] of table.columns.entries()) {
    const top = at * (bandHeight + bandGap) + bandGap / 2;
    marks.push(
      svg(
        'text',
        { class: 'band', x: left - 12, y: top + bandHeight / 2 + 4, 'text-anchor': 'end' },
        shorten(column.title, left),
      ),
      svg('line', { class: 'grid', x1: 0, x2: width, y1: top - bandGap / 2, y2: top - bandGap / 2 }),
    );
    for (const [series, row] of rows.entries()) {
      const cell = row.cells[at];
      if (cell?.value == null) continue;
      const y = top + (series + 0.5) * rowHeight;
      const reach = cell.interval ?? 0;
      const { words } = cellText(cell, column, decimalsFor([cell]));
      marks.push(
        svg(
          'g',
          {},
          svg('title', {}, `${row.run}, ${words}`),
          svg('line', {
            class: `reach series-${series % 6}`,
            x1: x(Math.max(0, cell.value - reach)),
            x2: x(Math.min(1, cell.value + reach)),
            y1: y,
            y2: y,
          }),
          marker(series, x(cell.value), y),
        ),
      );
    }
  }
  return svg(
    'svg',
    {
      class: 'chart',
      width,
      height,
      role: 'img',
      'aria-label':
        'Scores of each run and scenario with their intervals; the same numbers are in the table above',
    },
    ...marks,
  );
}

/** Cut in the middle: names of scenarios differ at their ends. */
function shorten(text: string, width: number): string {
  const most = Math.max(6, Math.floor((width - 16) / letterWidth));
  if (text.length <= most) return text;
  const half = (most - 1) / 2;
  return `${text.slice(0, Math.ceil(half))}…${text.slice(-Math.floor(half))}`;
}

/** The chart's numbers as a table: a row for each run and scenario. */
function numbers(table: ViewTable, rows: readonly ViewRow[]): HTMLElement {
  const share = (value: number | null | undefined) => (value == null ? '–' : (100 * value).toFixed(1));
  return h(
    'table',
    { class: 'scores' },
    h(
      'thead',
      {},
      h(
        'tr',
        {},
        ...['scenario', 'run', 'score', '±', 'instances'].map((name, at) =>
          h('th', { scope: 'col', class: at > 1 ? 'number' : 'run' }, name),
        ),
      ),
    ),
    h(
      'tbody',
      {},
      ...table.columns.flatMap((column, at) =>
        rows.map((row) =>
          h(
            'tr',
            {},
            h('td', {}, column.title),
            h('td', {}, row.run),
            ...[
              share(row.cells[at]?.value),
              share(row.cells[at]?.interval),
              String(row.cells[at]?.instances ?? '–'),
            ].map((text) => h('td', { class: 'number' }, text)),
          ),
        ),
      ),
    ),
  );
}

/** The chart, or its numbers; at most {@link mostSeries} runs. */
export function scoreChart(
  table: ViewTable,
  rows: readonly ViewRow[],
  { width, asTable }: { width: number; asTable: boolean },
): HTMLElement {
  const shown = rows.slice(0, mostSeries);
  const more = rows.length > shown.length;
  return h(
    'div',
    {},
    more &&
      h(
        'p',
        { class: 'note' },
        `The first ${mostSeries} of ${rows.length} runs; filter or compare to choose others.`,
      ),
    ...(asTable
      ? [
          h(
            'div',
            { class: 'scroller', tabindex: 0, role: 'region', 'aria-label': 'Numbers of the chart' },
            numbers(table, shown),
          ),
        ]
      : [legend(shown), dots(table, shown, width)]),
  );
}
