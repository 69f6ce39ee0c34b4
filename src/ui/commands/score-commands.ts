import { basename, extname, relative } from 'node:path';
import * as vscode from 'vscode';
import { cancelledError, plural, UserError } from '../../base/index.ts';
import type { Evaluation } from '../../helm/index.ts';
import type { Submission } from '../../submission/index.ts';
import { type CommandTable, numberOf, textOf } from '../command-table.ts';
import { commandIds } from '../ids.ts';
import { type Asker, askAll, askOne, type Step } from '../questions.ts';
import { outputFolder } from '../runs/model.ts';
import type { Services } from '../services.ts';
import { settings } from '../settings.ts';
import { runTask } from '../tasks/client.ts';
import { askUrl, checkpointToServe } from './serve-commands.ts';
import { targetOf } from './target.ts';

const firstLook = 10;

interface EvaluateAnswers {
  readonly suite: string;
  readonly name: string;
  /** Instances of a scenario; undefined for all. */
  readonly most: number | undefined;
}

/** A name for a run that HELM's model names take. */
const runName = (text: string) => text.replaceAll(/[^\w.-]+/g, '-').replace(/^-+|-+$/g, '') || 'local';

async function chooseConf(): Promise<string> {
  const [uri] =
    (await vscode.window.showOpenDialog({
      title: 'Run entries to evaluate',
      openLabel: 'Evaluate',
      filters: { 'Run entries': ['conf'] },
    })) ?? [];
  if (uri === undefined) throw cancelledError('Evaluating');
  return uri.fsPath;
}

async function askSuite(ask: Asker, folder: string): Promise<string> {
  const { suites } = await import('../../helm/index.ts');
  const confs = await vscode.workspace.findFiles(new vscode.RelativePattern(folder, '**/*.conf'), null, 50);
  const chosen = await ask.pick<string | undefined>({
    placeholder: 'Which run entries are sent?',
    choices: [
      ...(await suites()).map(({ name, title }) => ({ label: name, description: title, value: name })),
      ...confs.map(({ fsPath }) => ({
        label: relative(folder, fsPath),
        description: 'conf file',
        value: fsPath,
      })),
      { label: 'Choose a conf file…', value: undefined },
    ],
  });
  return chosen ?? chooseConf();
}

const askName: Step<EvaluateAnswers> = async (ask, answers) => ({
  ...answers,
  name: await ask.input({
    prompt: 'Name of the run; one with the same name is replaced',
    value: answers.name,
    problem: (name) =>
      /^[\w.-]+$/.test(name) ? undefined : 'Use letters, digits, hyphens, dots and underscores.',
  }),
});

const askMost: Step<EvaluateAnswers> = async (ask, answers) => ({
  ...answers,
  most: await ask.pick<number | undefined>({
    placeholder: 'How many instances are sent?',
    choices: [
      { label: 'All', value: undefined },
      { label: `${firstLook} of each scenario`, description: 'for a first look', value: firstLook },
    ],
  }),
});

export function scoreCommands(
  services: Pick<Services, 'submissions' | 'stages' | 'servers' | 'runs' | 'scores' | 'work' | 'log'>,
) {
  const { servers, runs, scores, work, log, submissions } = services;

  /** The endpoint to ask: the submission's own; without one the person starts or names one. */
  async function endpointFor(submission: Submission, title: string): Promise<string> {
    const { folder } = submission;
    const live = servers.of(folder);
    if (live !== undefined) return live.endpoint.url;
    const last = servers.lastUrl(folder);
    const start = await askOne(title, (ask) =>
      ask.pick({
        placeholder: 'No server is running. Which endpoint is asked?',
        choices: [
          { label: 'Start a server', description: 'for a checkpoint of this submission', value: true },
          { label: 'Connect to a running server…', description: last ?? '', value: false },
        ],
      }),
    );
    if (start) return (await servers.start(folder, await checkpointToServe(services, submission))).url;
    const { connect } = await import('../../serve/index.ts');
    const endpoint = await connect(await askUrl(title, last ?? 'http://127.0.0.1:8080'));
    await servers.connect(folder, endpoint);
    return endpoint.url;
  }

  async function evaluate(title: string, argument: unknown, ownSuite?: string): Promise<Evaluation> {
    const submission = await targetOf(services, argument);
    const { folder } = submission;
    const url = textOf(argument, 'url') ?? (await endpointFor(submission, title));
    const live = servers.of(folder);
    const named = textOf(argument, 'name');
    const known: EvaluateAnswers = {
      suite: ownSuite ?? textOf(argument, 'suite') ?? 'sample',
      name: named ?? runName(basename(live?.checkpoint ?? submission.name)),
      most: numberOf(argument, 'maxEvalInstances'),
    };
    const askConf: Step<EvaluateAnswers> = async (ask, answers) => ({
      ...answers,
      suite: await askSuite(ask, folder),
    });
    const steps = ownSuite === undefined ? [askConf, askName, askMost] : [askName, askMost];
    const { suite, name, most } = named === undefined ? await askAll(title, known, steps) : known;
    const out = outputFolder(submission);
    const evaluation = await work.run(
      {
        kind: 'evaluate',
        title: `evaluate ${name}`,
        folder,
        next: { title: 'Show Scores', command: commandIds.showScores },
      },
      async (context) => {
        const value = await runTask(
          'evaluate',
          {
            url,
            suite,
            out,
            name,
            concurrency: settings.concurrency(),
            ...(most === undefined ? {} : { maxEvalInstances: most }),
          },
          context,
        );
        return { value, outcome: evaluationText(value) };
      },
    );
    const problems = evaluation.runs.flatMap((run) =>
      run.problems.map((problem) => `${run.name}: ${problem}`),
    );
    for (const warning of [...evaluation.warnings, ...problems]) log.warn(warning);
    const { updateRecord } = await import('../../submission/index.ts');
    await updateRecord(folder, {
      evaluate: {
        out,
        suite: basename(suite, extname(suite)),
        name,
        at: new Date().toISOString(),
        summary: evaluationText(evaluation),
      },
    });
    await runs.refresh();
    if (folder === submissions.active?.folder) scores.show({ preserveFocus: true });
    return evaluation;
  }

  return {
    [commandIds.sendPrompts]: {
      title: 'Send Sample HELM Prompts',
      run: (argument: unknown) => evaluate('Send Sample HELM Prompts', argument, 'sample'),
    },

    [commandIds.evaluate]: {
      title: 'Evaluate',
      run: (argument: unknown) => evaluate('Evaluate', argument),
    },

    [commandIds.showScores]: {
      title: 'Show Scores',
      async run(argument: unknown): Promise<void> {
        await targetOf(services, argument);
        scores.show({});
      },
    },

    [commandIds.compareRuns]: {
      title: 'Compare Runs',
      async run(argument: unknown): Promise<void> {
        await targetOf(services, argument);
        if (runs.compared.size < 2) {
          throw new UserError('Fewer than two runs are chosen', {
            remedy: 'Check the runs to compare in the view Runs.',
          });
        }
        scores.show({ onlyCompared: true });
      },
    },

    [commandIds.setBaseline]: {
      title: 'Set Baseline',
      async run(argument: unknown): Promise<{ baseline: string | undefined }> {
        await targetOf(services, argument);
        const rows = runs.table?.rows ?? [];
        const none = 'No baseline';
        const chosen =
          textOf(argument, 'run') ??
          (await askOne('Set Baseline', (ask) =>
            ask.pick({
              placeholder: 'Which run are the others compared with?',
              choices: [...rows.map(({ run }) => ({ label: run, value: run })), { label: none, value: none }],
              preselected: (run) => run === (runs.baseline ?? rows[0]?.run),
            }),
          ));
        const known = rows.some(({ run }) => run === chosen);
        if (!known && chosen !== none) {
          throw new UserError(`There is no run "${chosen}"`, {
            remedy: `Runs: ${rows.map(({ run }) => run).join(', ') || 'none yet'}.`,
          });
        }
        // The star of the baseline itself takes it away.
        const baseline = known && chosen !== runs.baseline ? chosen : undefined;
        await runs.setBaseline(baseline);
        return { baseline };
      },
    },
  } satisfies Partial<CommandTable>;
}

function evaluationText({ runs }: Evaluation): string {
  const instances = runs.reduce((sum, run) => sum + run.instances, 0);
  const failed = runs.reduce((sum, run) => sum + run.failed, 0);
  return [plural(runs.length, 'run'), plural(instances, 'instance'), failed > 0 && `${failed} failed`]
    .filter(Boolean)
    .join(' · ');
}
