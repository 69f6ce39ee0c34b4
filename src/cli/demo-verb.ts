import { relative, resolve } from 'node:path';
import { formatDuration } from '../base/index.ts';
import type { DemoResult } from './demo.ts';
import { textTable } from './table.ts';
import type { AddVerb } from './verb.ts';

function resultText({ table, tasks, instances, submission, archive }: DemoResult): string {
  const percent = (value: number) => (value * 100).toFixed(1);
  const rows = table.map(({ row, task1, task2, mean }) => [
    row,
    percent(task1),
    percent(task2),
    percent(mean),
  ]);
  return [
    `exact match in percent, ${instances} held-out instances a row`,
    '',
    textTable([['', ...tasks, 'mean'], ...rows]),
    '',
    `submission  ${relative('', submission)}`,
    `runs        ${relative('', submission)}/benchmark_output/runs`,
    `archive     ${relative('', archive)}`,
  ].join('\n');
}

export const demoVerb: AddVerb = (program, run) => {
  program
    .command('demo')
    .description(
      'Go the whole way on the tiny demo checkpoints: scaffold, merge, serve, prompts, scores, doctor, pack.',
    )
    .argument('[dir]', 'folder to write; one that an earlier demo wrote is replaced', 'demo-submission')
    .option('--json', 'print one JSON document')
    .action((folder: string, options: { json?: boolean }) =>
      run(options, async ({ signal, onProgress, note }) => {
        const { runDemo } = await import('./demo.ts');
        const result = await runDemo({
          folder: resolve(folder),
          signal,
          onProgress,
          onNote: note,
          onStage: ({ name, seconds, pass }) =>
            note(`${pass ? '✓' : '✗'} ${name.padEnd(9)} ${formatDuration(seconds).padStart(8)}`),
        });
        return { json: result, text: resultText(result), fit: result.stages.every(({ pass }) => pass) };
      }),
    );
};
