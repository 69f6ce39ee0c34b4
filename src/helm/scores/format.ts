import type { ScoreCell, ScoreRow, ScoreTable } from '../types.ts';

export type ScoreFormat = 'json' | 'csv' | 'markdown' | 'html';

/** The table as a JSON document: runs, scenarios, and a row for each submission with its scores by scenario. */
export function scoresDocument(table: ScoreTable) {
  return {
    runs: table.runs,
    scenarios: table.columns,
    table: table.rows.map(({ cells, ...row }) => ({
      ...row,
      scores: Object.fromEntries(table.columns.map(({ scenario }, i) => [scenario, cells[i]?.value ?? null])),
      cells,
    })),
    problems: table.problems,
  };
}

/** The table as text. JSON and CSV hold the values themselves; Markdown and HTML, for people, points of a hundred. */
export function formatScores(table: ScoreTable, format: ScoreFormat): string {
  switch (format) {
    case 'json':
      return JSON.stringify(scoresDocument(table), undefined, 2);
    case 'csv':
      return csv(table);
    case 'markdown':
      return markdown(table);
    case 'html':
      return html(table);
  }
}

function points(value: number | null): string {
  return value === null ? '–' : (value * 100).toFixed(1);
}

function rate(value: number | null): string {
  return value === null ? '–' : value.toFixed(2);
}

/** A cell for people: its points and interval, or why there are none. */
function cellText({ value, interval, instances, failed }: ScoreCell): string {
  const failures = failed > 0 ? `failed ${failed}/${instances}` : '';
  if (value === null) return failures || '–';
  const range = interval === null ? '' : ` ± ${points(interval)}`;
  return `${points(value)}${range}${failures && ` (${failures})`}`;
}

/** Difference to the baseline with its sign. */
function deltaText({ delta }: ScoreCell): string {
  return delta === null ? '' : ` ${delta < 0 ? '−' : '+'}${points(Math.abs(delta))}`;
}

/** Whether the difference could be chance, by the paired test. */
function testText({ test }: ScoreCell): string {
  if (!test) return '';
  return test.p < 0.001 ? ' (p < 0.001)' : ` (p = ${test.p.toFixed(3)})`;
}

const challengeNote =
  'Challenge: product (and geometric mean) of the win rates by scenario, among the runs of this table only. p: paired bootstrap test of the difference to ★.';

function challengeText({ challenge }: ScoreRow): string {
  return challenge === null ? '–' : `${rate(challenge.product)} (${rate(challenge.geometricMean)})`;
}

function csv(table: ScoreTable): string {
  const field = (value: string | number | null) => {
    // A spreadsheet takes what starts with one of these for a formula.
    const text = typeof value === 'string' && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value ?? '');
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const lines = [
    [
      'run',
      ...table.columns.map(({ scenario }) => scenario),
      'mean',
      'mean_win_rate',
      'challenge_product',
      'challenge_geometric_mean',
    ],
    ...table.rows.map(({ run, cells, mean, meanWinRate, challenge }) => [
      run,
      ...cells.map(({ value }) => value),
      mean,
      meanWinRate,
      challenge?.product ?? null,
      challenge?.geometricMean ?? null,
    ]),
  ];
  return `${lines.map((line) => line.map(field).join(',')).join('\n')}\n`;
}

function markdown(table: ScoreTable): string {
  const safe = (text: string) => text.replaceAll('|', '\\|').replaceAll('\n', ' ');
  const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const shown = (cell: ScoreCell, { baseline }: ScoreRow) => {
    const text = cellText(cell);
    return `${cell.best ? `**${text}**` : text}${baseline ? '' : deltaText(cell) + testText(cell)}`;
  };
  const lines = [
    row(['run', ...table.columns.map(({ title }) => safe(title)), 'mean', 'win rate', 'challenge']),
    row(['---', ...table.columns.map(() => '---:'), '---:', '---:', '---:']),
    ...table.rows.map((entry) =>
      row([
        `${entry.baseline ? '★ ' : ''}${safe(entry.run)}`,
        ...entry.cells.map((cell) => shown(cell, entry)),
        points(entry.mean),
        rate(entry.meanWinRate),
        challengeText(entry),
      ]),
    ),
    '',
    challengeNote,
  ];
  return `${lines.join('\n')}\n`;
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

function html(table: ScoreTable): string {
  const safe = (text: string) => text.replace(/[&<>"]/g, (found) => entities[found] ?? found);
  const header = table.columns.map(
    ({ title, metric }) => `<th scope="col" title="${safe(metric)}">${safe(title)}</th>`,
  );
  const rows = table.rows.map((row) => {
    const cells = row.cells.map((cell) => {
      const text = safe(cellText(cell));
      return `<td>${cell.best ? `<strong>${text}</strong>` : text}${row.baseline ? '' : deltaText(cell) + safe(testText(cell))}</td>`;
    });
    const name = `<th scope="row">${row.baseline ? '★ ' : ''}${safe(row.run)}</th>`;
    return `<tr>${name}${cells.join('')}<td>${points(row.mean)}</td><td>${rate(row.meanWinRate)}</td><td>${challengeText(row)}</td></tr>`;
  });
  return `<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<title>Scores</title>
<style>
body { font: 14px/1.5 system-ui, sans-serif; margin: 2rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { border-bottom: 1px solid #8884; padding: 4px 12px; text-align: right; }
th:first-child { text-align: left; }
</style>
<table>
<caption>Scores in points of 100, with half the width of their 95 % bootstrap interval</caption>
<thead><tr><th scope="col">run</th>${header.join('')}<th scope="col">mean</th><th scope="col">win rate</th><th scope="col">challenge</th></tr></thead>
<tbody>
${rows.join('\n')}
</tbody>
</table>
<p>${challengeNote}</p>
</html>
`;
}
