import '@vscode/codicons/dist/codicon.css';
import '../shared/page.css';
import './scores.css';
import * as z from 'zod/mini';
import {
  type FromView,
  type ScoresMessage,
  type ToView,
  toViewSchema,
} from '../../src/ui/scores/messages.ts';
import { h, icon } from '../shared/dom.ts';
import { Host, PageState } from '../shared/host.ts';
import { defineToolkit } from '../toolkit.ts';
import { scoreChart } from './chart.ts';
import { leaderboardSection, toolbar } from './parts.ts';
import { initialState, type ScoresState } from './state.ts';
import { focusPlace, restoreFocus, scoreTable } from './table.ts';
import { visibleRows } from './view-model.ts';

// Compiled checks would need `eval`, which the page's policy forbids.
z.config({ jitless: true });
defineToolkit();

const host = new Host<ToView, FromView>(toViewSchema);
const state = new PageState<ScoresState>(initialState);

const tableSlot = h('div', { class: 'scroller' });
const chartSlot = h('div', {});
const barSlot = h('header', {});
const restSlot = h('div', {});
const live = h('p', { class: 'sr-only', 'aria-live': 'polite' });
let message: ScoresMessage | undefined;

function app(): HTMLElement {
  const element = document.getElementById('app');
  if (element === null) throw new Error('the page has no #app');
  return element;
}

function update(change: Partial<ScoresState>): void {
  state.update(change);
  renderTable();
}

function sortBy(key: string): void {
  const { sort } = state.value;
  const descending = sort.key === key ? !sort.descending : key !== 'run';
  update({ sort: { key, descending } });
}

function toggleCompared(run: string): void {
  const compared = new Set(message?.compared);
  if (!compared.delete(run)) compared.add(run);
  host.send({ kind: 'compare', runs: [...compared] });
}

/** Table and chart, which change with sorting, filtering and comparing; the bar above keeps its focus. */
function renderTable(): void {
  if (message?.table == null) return;
  const { table } = message;
  const compared = new Set(message.compared);
  const { sort, hidden, chartAsTable, onlyCompared } = state.value;
  const rows = visibleRows(
    table,
    { ...state.value, onlyCompared: onlyCompared && compared.size > 0 },
    compared,
  );
  const place = focusPlace(tableSlot.firstElementChild);
  const grid = scoreTable({
    table,
    rows,
    hidden: new Set(hidden),
    compared,
    sort,
    onSort: sortBy,
    onCompare: toggleCompared,
  });
  const nothing = rows.length === 0 && h('p', { class: 'note' }, 'No run has this in its name.');
  tableSlot.replaceChildren(grid, ...(nothing ? [nothing] : []));
  restoreFocus(grid, place);
  renderChart(rows);
  live.textContent = `${rows.length} of ${table.rows.length} runs shown${chartAsTable ? ', chart as table' : ''}`;
}

function renderChart(rows: Parameters<typeof scoreChart>[1]): void {
  if (message?.table == null) return;
  const { chartAsTable: asTable } = state.value;
  const toggle = h('vscode-button', { appearance: 'secondary' }, asTable ? 'Show as chart' : 'Show as table');
  toggle.addEventListener('click', () => update({ chartAsTable: !state.value.chartAsTable }));
  const width = Math.max(260, chartSlot.clientWidth);
  chartSlot.replaceChildren(
    h('div', { class: 'section-head' }, h('h2', {}, 'By scenario'), toggle),
    scoreChart(message.table, rows, { width, asTable }),
  );
}

function renderEmpty(): void {
  const button = h('vscode-button', {}, 'Send Sample HELM Prompts…');
  button.addEventListener('click', () => host.send({ kind: 'evaluate' }));
  app().replaceChildren(
    h('h1', {}, 'Scores'),
    h('p', {}, 'No runs yet: an evaluation sends prompts to an endpoint and scores the answers.'),
    button,
  );
}

function render(): void {
  if (message === undefined) return;
  if (message.table === null) {
    renderEmpty();
    return;
  }
  const { table, leaderboard } = message;
  barSlot.replaceChildren(...toolbar({ message, table, state: state.value, host, update }));
  restSlot.replaceChildren(
    ...table.problems.map((problem) => h('p', { class: 'problem' }, icon('warning'), ` ${problem}`)),
    ...(leaderboard === null ? [] : [leaderboardSection(leaderboard)]),
  );
  if (tableSlot.parentElement === null) {
    app().replaceChildren(
      barSlot,
      tableSlot,
      h(
        'p',
        { class: 'note' },
        'Percent; bold is the best of its column. ▲ ▼ differ from the baseline by more than both 95 % intervals together. ',
        'Keys: arrows move, Space marks a run, c compares the marked ones, / filters.',
      ),
      chartSlot,
      restSlot,
      live,
    );
    renderTable();
    window.scrollTo(0, state.value.scroll);
    return;
  }
  renderTable();
}

host.onMessage((received) => {
  switch (received.kind) {
    case 'scores':
      message = received;
      render();
      return;
    case 'onlyCompared':
      state.update({ onlyCompared: received.on });
      render();
  }
});

document.addEventListener('keydown', (event) => {
  const field = (event.target as Element).closest('vscode-text-field, vscode-dropdown, input');
  if (field !== null || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === '/') document.getElementById('filter')?.focus();
  else if (event.key === 'c') {
    state.update({ onlyCompared: !state.value.onlyCompared });
    render();
  } else return;
  event.preventDefault();
});

let scrolling: number | undefined;
window.addEventListener('scroll', () => {
  window.clearTimeout(scrolling);
  scrolling = window.setTimeout(() => state.update({ scroll: window.scrollY }), 200);
});

let resizing: number | undefined;
window.addEventListener('resize', () => {
  window.clearTimeout(resizing);
  resizing = window.setTimeout(renderTable, 100);
});

host.send({ kind: 'ready' });
