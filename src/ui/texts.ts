import { formatBytes } from '../base/index.ts';
import type { ContractReport } from '../serve/index.ts';
import type { TaskResult } from './tasks/tasks.ts';

/** Text as one cell of a Markdown table. */
function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ').replaceAll('<', '&lt;');
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map(cell).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** What a checkpoint holds and which tracks it fits, in Markdown. */
export function inspectionText(name: string, { inspection, tracks }: TaskResult<'inspect'>): string {
  const { architecture, parameters, tensors, dtypes, bytes, tokenizer, contextTokens, adapter } = inspection;
  const facts = [
    ['architecture', architecture],
    ['parameters', parameters.toLocaleString('en')],
    ['tensors', String(tensors)],
    [
      'dtypes',
      Object.entries(dtypes)
        .map(([dtype, count]) => `${dtype} ${count}`)
        .join(', '),
    ],
    ['weights', formatBytes(bytes)],
    ['tokenizer', tokenizer ?? 'none'],
    ['context', contextTokens === null ? 'unknown' : `${contextTokens} tokens`],
    ...(adapter === undefined
      ? []
      : [['adapter', `${adapter.type} of ${adapter.base ?? 'an unknown base'}`]]),
  ];
  return [
    `# Checkpoint ${name}`,
    table(['', ''], facts),
    '## Tracks',
    table(
      ['track', '', ''],
      tracks.map(({ name: track, fits, why }) => [track, fits ? '✓ fits' : '✗ does not fit', why ?? '']),
    ),
    '',
  ].join('\n\n');
}

/** A contract check's report, in Markdown. */
export function contractText(url: string, { pass, checks }: ContractReport): string {
  const failed = checks.filter((check) => !check.pass).length;
  const verdict = pass
    ? `${url} keeps the contract: all ${checks.length} checks passed.`
    : `${url} breaks the contract: ${failed} of ${checks.length} checks failed.`;
  return [
    '# Endpoint',
    verdict,
    table(
      ['', 'check', 'what was found'],
      checks.map((check) => [check.pass ? '✓' : '✗', check.title, check.detail]),
    ),
    '',
  ].join('\n\n');
}
