import * as vscode from 'vscode';
import { failureKind, formatBytes, plural } from '../../base/index.ts';
import type { DoctorReport } from '../../doctor/index.ts';
import type { Package } from '../../pack/index.ts';
import type { Submission } from '../../submission/index.ts';
import { type CommandTable, flagOf, textOf } from '../command-table.ts';
import { commandIds, viewIds } from '../ids.ts';
import type { Services } from '../services.ts';
import { runTask } from '../tasks/client.ts';
import { targetOf } from './target.ts';

export function packageCommands(services: Pick<Services, 'submissions' | 'stages' | 'reports' | 'work'>) {
  const { reports, stages, work } = services;

  async function check({ folder, track, name }: Submission): Promise<DoctorReport> {
    const report = await work.run({ kind: 'doctor', title: `check ${name}`, folder }, async (context) => {
      const value = await runTask('checkSubmission', { folder, track }, context);
      const { error, warning } = value.summary;
      return { value, outcome: `${plural(error, 'error')}, ${plural(warning, 'warning')}` };
    });
    reports.set(folder, report);
    return report;
  }

  async function make({ folder, track, name }: Submission, argument: unknown): Promise<Package> {
    const out = textOf(argument, 'out');
    const force = flagOf(argument, 'force');
    const made = await work.run({ kind: 'pack', title: `package ${name}`, folder }, async (context) => {
      const input = { folder, track, force, ...(out === undefined ? {} : { out }) };
      const value = await runTask('packageSubmission', input, context);
      return { value, outcome: `${plural(value.entries.length, 'file')}, ${formatBytes(value.bytes)}` };
    });
    await stages.refresh();
    return made;
  }

  /** A package that errors stand against can be made all the same, unless one of them is a secret. */
  async function offerForce(submission: Submission, errors: number): Promise<void> {
    const show = 'Show Findings';
    const force = 'Package Anyway';
    const chosen = await vscode.window.showWarningMessage(
      `${submission.name} is not fit to send: the doctor found ${plural(errors, 'error')}.`,
      show,
      force,
    );
    if (chosen === show) await vscode.commands.executeCommand(`${viewIds.submission}.focus`);
    if (chosen === force) {
      const { folder } = submission;
      await vscode.commands.executeCommand(commandIds.packageSubmission, { folder, force: true });
    }
  }

  return {
    [commandIds.checkSubmission]: {
      title: 'Check Submission',
      run: async (argument: unknown) => check(await targetOf(services, argument)),
    },

    [commandIds.packageSubmission]: {
      title: 'Package Submission',
      async run(argument: unknown): Promise<Package | undefined> {
        const submission = await targetOf(services, argument);
        try {
          return await make(submission, argument);
        } catch (error) {
          if (failureKind(error) !== 'unfit') throw error;
          const { findings } = await check(submission);
          const errors = findings.filter(({ severity }) => severity === 'error');
          if (errors.length === 0 || errors.some(({ rule }) => rule.startsWith('secret-'))) throw error;
          void offerForce(submission, errors.length);
          return undefined;
        }
      },
    },
  } satisfies Partial<CommandTable>;
}
