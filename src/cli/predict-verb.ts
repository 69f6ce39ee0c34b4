import { resolve } from 'node:path';
import { Option } from 'commander';
import { plural } from '../base/index.ts';
import type { KitScoring } from '../helm/index.ts';
import { integer } from './arguments.ts';
import { textTable } from './table.ts';
import type { AddVerb } from './verb.ts';

interface PredictVerbOptions {
  readonly csv: readonly string[];
  readonly out: string;
  readonly scoring?: KitScoring;
  readonly maxGenLen: number;
  readonly json?: boolean;
}

const averageNote = 'average = (accuracy + rougeL) / 2 × 100 on these rows; not the leaderboard’s test set';

export const predictVerb: AddVerb = (program, run) => {
  program
    .command('predict')
    .description('Answer the merging kit’s data sets, score the answers and write submission.csv.')
    .argument('<checkpoint|url>', 'folder in Hugging Face layout, or base URL of a server')
    .requiredOption('--csv <file...>', 'data sets: CSV by header, or one JSON object a line (.json, .jsonl)')
    .requiredOption('--out <file>', 'predictions to write: id,prediction,dummy_field')
    .addOption(
      new Option(
        '--scoring <name>',
        'how choices are compared (default: kit; with a URL loglikelihood)',
      ).choices(['kit', 'loglikelihood', 'loglikelihood_norm'] satisfies KitScoring[]),
    )
    .option('--max-gen-len <n>', 'tokens to generate at most, the kit’s max_gen_len', integer(1), 64)
    .option('--json', 'print one JSON document')
    .action((from: string, options: PredictVerbOptions) =>
      run(options, async ({ signal, onProgress }) => {
        const [{ predict }, { checkpointSource, endpointSource }] = await Promise.all([
          import('../helm/index.ts'),
          import('./answer-sources.ts'),
        ]);
        const isUrl = /^https?:\/\//i.test(from);
        // Nothing but silence must not take as long as an answer may.
        if (isUrl) await (await import('../serve/index.ts')).connect(from, { signal });
        const source = isUrl ? endpointSource(from, signal) : await checkpointSource(resolve(from), signal);
        try {
          const prediction = await predict(
            options.csv.map((file) => resolve(file)),
            resolve(options.out),
            source,
            {
              scoring: options.scoring ?? (isUrl ? 'loglikelihood' : 'kit'),
              maxGenLen: options.maxGenLen,
              signal,
              onProgress,
            },
          );
          const { metrics } = prediction;
          const rows = Object.entries(metrics).map(([name, value]) => [
            name,
            name === 'average' ? value.toFixed(1) : value.toFixed(3),
          ]);
          const lines = [
            `${plural(prediction.rows, 'row')} into ${options.out}`,
            ...(rows.length > 0 ? [textTable(rows)] : []),
            ...('average' in metrics ? [averageNote] : []),
          ];
          return { json: prediction, text: lines.join('\n') };
        } finally {
          await source.close();
        }
      }),
    );
};
