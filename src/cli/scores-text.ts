import type { ScoreCell, ScoreTable } from '../helm/index.ts';
import { textTable } from './table.ts';

const points = (value: number) => (value * 100).toFixed(1);

function cellText(cell: ScoreCell | undefined, isBaseline: boolean): string {
  if (cell === undefined) return '–';
  const failed = cell.failed > 0 ? ` failed ${cell.failed}/${cell.instances}` : '';
  if (cell.value === null) return failed.trim() || '–';
  const best = cell.best ? '*' : '';
  const interval = cell.interval === null ? '' : ` ± ${points(cell.interval)}`;
  const delta =
    cell.delta === null || isBaseline
      ? ''
      : ` (${cell.delta < 0 ? '−' : '+'}${points(Math.abs(cell.delta))})`;
  return `${best}${points(cell.value)}${interval}${delta}${failed}`;
}

/** The scores for a terminal: a line for each scenario, a column for each run, in points of a hundred. */
export function scoresText({ columns, rows }: Pick<ScoreTable, 'columns' | 'rows'>): string {
  const several = rows.length > 1;
  const rates = rows.map(({ meanWinRate }) => (meanWinRate === null ? '–' : meanWinRate.toFixed(2)));
  const lines = [
    ['', ...rows.map(({ run, baseline }) => (baseline ? `${run} (baseline)` : run))],
    ...columns.map(({ title }, column) => [
      title,
      ...rows.map(({ cells, baseline }) => cellText(cells[column], baseline)),
    ]),
    ['mean', ...rows.map(({ mean }) => (mean === null ? '–' : points(mean)))],
    ...(several ? [['mean win rate', ...rates]] : []),
  ];
  const legend = [
    'points of 100',
    '± 95 % bootstrap interval',
    ...(several ? ['* best of the line'] : []),
    ...(rows.some(({ baseline }) => baseline) ? ['(…) difference to the baseline'] : []),
  ];
  return `${textTable(lines)}\n\n${legend.join(' · ')}`;
}
