import { resolve } from 'node:path';
import { Option } from 'commander';
import { formatDuration, plural, UserError } from '../base/index.ts';
import type { RunSummary } from '../helm/index.ts';
import { integer } from './arguments.ts';
import { scoresText } from './scores-text.ts';
import { textTable } from './table.ts';
import { type AddVerb, given } from './verb.ts';

export const checkVerb: AddVerb = (program, run) => {
  program
    .command('check')
    .description('Check that an endpoint keeps the challenge’s HTTP contract.')
    .argument('<url>', 'base URL of the server')
    .option('--json', 'print one JSON document')
    .action((url: string, options: { json?: boolean }) =>
      run(options, async ({ signal, onProgress }) => {
        const { checkContract } = await import('../serve/index.ts');
        const report = await checkContract(url, { signal, onProgress });
        const failed = report.checks.filter((check) => !check.pass).length;
        const lines = report.checks.map(({ pass, id, detail }) => `${pass ? '✓' : '✗'} ${id}: ${detail}`);
        const verdict = report.pass
          ? 'keeps the contract'
          : `breaks the contract: ${plural(failed, 'check')} failed`;
        return { json: report, text: `${lines.join('\n')}\n${url} ${verdict}`, fit: report.pass };
      }),
    );
};

interface SuiteOptions {
  readonly suite?: string;
  readonly conf?: string;
  readonly data?: string;
  readonly json?: boolean;
}

/** The suite or conf file that the options name; both at once is a contradiction. */
function suiteOf(options: SuiteOptions): string {
  if (options.suite !== undefined && options.conf !== undefined) {
    throw new UserError('--suite and --conf exclude each other', {
      place: { field: '--conf' },
      remedy: 'Give one of them.',
    });
  }
  return options.conf === undefined ? (options.suite ?? 'sample') : resolve(options.conf);
}

export const promptsVerb: AddVerb = (program, run) => {
  program
    .command('prompts')
    .description('Print the prompts that would be sent, as HELM would send them.')
    .option('--conf <file>', 'run entries as HELM’s conf file (default: the sample suite)')
    .option('--data <dir>', 'scenario data in HELM’s layout (default: benchmark_output/scenarios)')
    .option('--json', 'print one JSON document')
    .action((options: SuiteOptions) =>
      run(options, async () => {
        const { buildPrompts } = await import('../helm/index.ts');
        const data = options.data === undefined ? undefined : resolve(options.data);
        const prompts = await buildPrompts({ suite: suiteOf(options), ...given({ data }) });
        const text = prompts.map(
          ({ scenario, instanceId, request }) => `--- ${scenario} ${instanceId}\n${request.prompt}`,
        );
        return { json: prompts, text: text.join('\n') };
      }),
    );
};

interface EvalOptions extends SuiteOptions {
  readonly out: string;
  readonly runSuite?: string;
  readonly name?: string;
  readonly concurrency?: number;
  readonly maxEvalInstances?: number;
  readonly resume?: boolean;
}

/** Every problem once, with the run that has it or the number of those that do. */
export function problemLines(runs: readonly Pick<RunSummary, 'name' | 'problems'>[]): string[] {
  const places = new Map<string, string[]>();
  for (const { name, problems } of runs) {
    for (const problem of problems) places.set(problem, [...(places.get(problem) ?? []), name]);
  }
  return [...places].map(
    ([problem, names]) => `${names.length === 1 ? names[0] : plural(names.length, 'run')}: ${problem}`,
  );
}

export const evalVerb: AddVerb = (program, run) => {
  program
    .command('eval')
    .description(
      'Send the prompts of a suite to an endpoint, score the answers and write HELM run directories.',
    )
    .argument('<url>', 'base URL of the server')
    .option('--suite <name>', 'suite that ships with us (default: sample)')
    .option('--conf <file>', 'run entries as HELM’s conf file')
    .option('--data <dir>', 'scenario data in HELM’s layout (default: OUT/scenarios)')
    .option('--out <dir>', 'where run directories go', 'benchmark_output')
    .option('--run-suite <name>', 'folder of the runs below OUT/runs (default: the name of the suite)')
    .option('--name <submission>', 'name of the submission in the runs (default: local)')
    .option('--concurrency <n>', 'requests at once (default: 4)', integer(1, 64))
    .option('--max-eval-instances <n>', 'instances a run, where its entry does not say', integer(1))
    .option('--resume', 'take answers that an interrupted evaluation has kept')
    .option('--json', 'print one JSON document')
    .action((url: string, options: EvalOptions) =>
      run(options, async ({ signal, onProgress, note }) => {
        const { evaluate } = await import('../helm/index.ts');
        const { runSuite, name, concurrency, maxEvalInstances, resume } = options;
        const data = options.data === undefined ? undefined : resolve(options.data);
        const evaluation = await evaluate(url, {
          suite: suiteOf(options),
          out: resolve(options.out),
          signal,
          onProgress,
          ...given({ runSuite, name, concurrency, maxEvalInstances, resume, data }),
        });
        const failed = evaluation.runs.reduce((sum, { failed: count }) => sum + count, 0);
        for (const warning of evaluation.warnings) note(`warning: ${warning}`);
        for (const line of problemLines(evaluation.runs)) note(line);
        if (failed > 0) note(`${plural(failed, 'instance')} failed`);
        const rows = evaluation.runs.map(({ name: runName, instances, failed: count, metrics }) => {
          const [metric, value] = Object.entries(metrics)[0] ?? ['', Number.NaN];
          return [
            runName,
            String(instances),
            count > 0 ? `failed ${count}` : '',
            metric,
            Number.isFinite(value) ? value.toFixed(3) : '–',
          ];
        });
        const speed = `${evaluation.requestsPerSecond.toFixed(0)} requests/s`;
        return {
          json: evaluation,
          text: `${textTable([['run', 'instances', '', 'metric', 'mean'], ...rows])}\n${formatDuration(evaluation.seconds)}, ${speed}`,
          fit: failed === 0,
        };
      }),
    );
};

interface ScoresOptions {
  readonly out: string;
  readonly format?: 'json' | 'csv' | 'markdown' | 'html';
  readonly baseline?: string;
  readonly json?: boolean;
}

export const scoresVerb: AddVerb = (program, run) => {
  program
    .command('scores')
    .description('Show all runs side by side.')
    .option('--out <dir>', 'where run directories are', 'benchmark_output')
    .option('--baseline <run>', 'run that the others are compared with')
    .addOption(
      new Option('--format <format>', 'form of the table (default: text)').choices([
        'json',
        'csv',
        'markdown',
        'html',
      ]),
    )
    .option('--json', 'the same as --format json')
    .action((options: ScoresOptions) =>
      run({}, async ({ note }) => {
        const { formatScores, readScores } = await import('../helm/index.ts');
        const table = await readScores(resolve(options.out), given({ baseline: options.baseline }));
        for (const problem of table.problems) note(`warning: ${problem}`);
        const format = options.json ? 'json' : options.format;
        return { json: undefined, text: format ? formatScores(table, format).trimEnd() : scoresText(table) };
      }),
    );
};
