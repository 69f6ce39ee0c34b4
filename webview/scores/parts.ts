import type {
  FromView,
  Leaderboard,
  ScoresMessage,
  ToView,
  ViewTable,
} from '../../src/ui/scores/messages.ts';
import { h, icon } from '../shared/dom.ts';
import type { Host } from '../shared/host.ts';
import type { ScoresState } from './state.ts';
import { scenarioKey } from './view-model.ts';

interface ToolbarOptions {
  readonly message: ScoresMessage;
  readonly table: ViewTable;
  readonly state: ScoresState;
  readonly host: Host<ToView, FromView>;
  update(change: Partial<ScoresState>): void;
}

/** A button that opens a small surface below it; Escape and a click elsewhere close it. */
function menuButton(id: string, label: string, ...content: Node[]): HTMLElement {
  const surface = h('div', { id, popover: 'auto', class: 'menu' }, ...content);
  const button = h(
    'vscode-button',
    { appearance: 'secondary', 'aria-haspopup': 'true', 'aria-expanded': 'false', 'aria-controls': id },
    label,
    icon('chevron-down'),
  );
  button.addEventListener('click', () => {
    const { left, bottom } = button.getBoundingClientRect();
    surface.style.left = `${Math.min(left, window.innerWidth - 220)}px`;
    surface.style.top = `${bottom + 4}px`;
    surface.togglePopover();
    surface.querySelector<HTMLElement>('vscode-checkbox, vscode-button')?.focus();
  });
  surface.addEventListener('toggle', ({ newState }) => {
    button.setAttribute('aria-expanded', String(newState === 'open'));
    if (newState !== 'open' && surface.contains(document.activeElement)) button.focus();
  });
  return h('span', { class: 'menu-holder' }, button, surface);
}

const noBaseline = '';

function baselinePicker({ table, host }: ToolbarOptions): HTMLElement {
  const current = table.rows.find(({ baseline }) => baseline)?.run ?? noBaseline;
  const dropdown = h(
    'vscode-dropdown',
    { id: 'baseline', 'aria-label': 'Baseline' },
    ...[noBaseline, ...table.rows.map(({ run }) => run)].map((run) =>
      h('vscode-option', { value: run }, run === noBaseline ? 'none' : run),
    ),
  );
  // It takes a value only once it has met its options.
  setTimeout(() => {
    dropdown.value = current;
  });
  dropdown.addEventListener('change', () => {
    const chosen = dropdown.value;
    if (chosen === current) return;
    // Choosing the baseline once more takes it away.
    host.send({ kind: 'baseline', run: chosen === noBaseline ? current : chosen });
  });
  return h('span', { class: 'labelled' }, h('label', { for: 'baseline' }, 'baseline'), dropdown);
}

function columnMenu({ table, state, update }: ToolbarOptions): HTMLElement {
  const hidden = new Set(state.hidden);
  const choices = [
    { key: 'mean', title: 'mean' },
    ...table.columns.map((column) => ({ key: scenarioKey(column), title: column.title })),
    { key: 'winRate', title: 'win rate' },
  ];
  const boxes = choices.map(({ key, title }) => {
    const box = h('vscode-checkbox', { checked: !hidden.has(key) }, title);
    box.addEventListener('change', () => {
      if (box.checked) hidden.delete(key);
      else hidden.add(key);
      update({ hidden: [...hidden] });
    });
    return box;
  });
  return menuButton('columns', 'Columns', ...boxes);
}

function exportMenu({ host }: ToolbarOptions): HTMLElement {
  const formats = [
    ['csv', 'CSV…'],
    ['markdown', 'Markdown…'],
    ['html', 'HTML…'],
  ] as const;
  const buttons = formats.map(([format, label]) => {
    const button = h('vscode-button', { appearance: 'secondary' }, label);
    button.addEventListener('click', () => {
      button.closest<HTMLElement>('[popover]')?.hidePopover();
      host.send({ kind: 'export', format });
    });
    return button;
  });
  return menuButton('export', 'Export', ...buttons);
}

/** The line above the table: what is shown, and how to change it. */
export function toolbar(options: ToolbarOptions): Node[] {
  const { message, state, update } = options;
  const filter = h('vscode-text-field', {
    id: 'filter',
    placeholder: 'Filter runs',
    value: state.filter,
  });
  // It names itself "Text field" when it is put into the page.
  setTimeout(() => filter.setAttribute('aria-label', 'Filter runs'));
  filter.addEventListener('input', () => update({ filter: filter.value }));
  filter.addEventListener('keydown', (event) => {
    if (event.key === 'Enter') document.querySelector<HTMLElement>('table.scores [tabindex="0"]')?.focus();
  });
  const compare = h(
    'vscode-checkbox',
    { checked: state.onlyCompared },
    `only compared (${message.compared.length})`,
  );
  compare.addEventListener('change', () => update({ onlyCompared: compare.checked }));
  return [
    h('h1', {}, 'Scores', h('span', { class: 'subject' }, message.submission)),
    h(
      'div',
      { class: 'bar' },
      baselinePicker(options),
      message.compared.length > 0 && compare,
      h('span', { class: 'space' }),
      filter,
      columnMenu(options),
      exportMenu(options),
    ),
  ];
}

/** The track's public leaderboard: kept apart, as its numbers come from another test set. */
export function leaderboardSection({ title, date, source, rows }: Leaderboard): HTMLElement {
  const decimals = Math.max(...rows.map(({ score }) => String(score).split('.')[1]?.length ?? 0));
  const day = new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeZone: 'UTC' }).format(new Date(date));
  return h(
    'section',
    {},
    h('h2', {}, `Public leaderboard of ${day}, another test set`),
    // A track may name a document instead of a page.
    h(
      'p',
      { class: 'note' },
      `${title}. `,
      /^https?:/.test(source) ? h('a', { href: source }, 'Source') : source,
    ),
    h(
      'div',
      { class: 'scroller', tabindex: 0, role: 'region', 'aria-label': 'Public leaderboard' },
      h(
        'table',
        { class: 'scores' },
        h(
          'thead',
          {},
          h(
            'tr',
            {},
            h('th', { scope: 'col', class: 'run' }, 'entry'),
            h('th', { scope: 'col', class: 'number' }, 'score'),
          ),
        ),
        h(
          'tbody',
          {},
          ...rows.map(({ name, score }) =>
            h(
              'tr',
              {},
              h('th', { scope: 'row', class: 'run' }, name),
              h('td', { class: 'number' }, score.toFixed(decimals)),
            ),
          ),
        ),
      ),
    ),
  );
}
