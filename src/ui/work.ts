import * as vscode from 'vscode';
import { formatDuration, UserError } from '../base/index.ts';
import type { JobContext, JobList, JobOutcome, JobSpec } from '../jobs/index.ts';
import { type CommandId, viewIds } from './ids.ts';
import type { OutputLog } from './log.ts';

/** Ends of work that took longer are told by a notification: the person has looked away by then. */
const longMilliseconds = 20_000;

export interface WorkSpec extends JobSpec {
  /** What the notification at the end of long work offers. */
  readonly next?: { readonly title: string; readonly command: CommandId };
}

/** Runs long work as a job: its progress is in the Jobs view, in the status bar and on its stage; all can stop it. */
export class Work {
  readonly #jobs: JobList;
  readonly #log: OutputLog;

  constructor(jobs: JobList, log: OutputLog) {
    this.#jobs = jobs;
    this.#log = log;
  }

  async run<T>(spec: WorkSpec, work: (context: JobContext) => Promise<JobOutcome<T>>): Promise<T> {
    const { next, ...job } = spec;
    const { kind, title, folder } = job;
    const twin = this.#jobs
      .list()
      .find((other) => other.endedAt === undefined && other.kind === kind && other.folder === folder);
    if (twin !== undefined) {
      throw new UserError(`"${twin.title}" still runs`, {
        remedy: 'Wait until it has ended, or stop it in the view Jobs.',
      });
    }
    const startedAt = Date.now();
    this.#log.info(`${title}: started`);
    let told = '';
    const value = await vscode.window.withProgress({ location: { viewId: viewIds.jobs } }, () =>
      this.#jobs.run(job, async (context) => {
        const result = await work(context);
        told = result.outcome;
        return result;
      }),
    );
    const took = Date.now() - startedAt;
    this.#log.info(`${title}: ${told} in ${formatDuration(took / 1000)}`);
    if (took > longMilliseconds) void this.#tell(`${title}: ${told}`, next);
    return value;
  }

  async #tell(message: string, next: WorkSpec['next']): Promise<void> {
    const chosen = await vscode.window.showInformationMessage(message, ...(next ? [next.title] : []));
    if (next !== undefined && chosen === next.title) await vscode.commands.executeCommand(next.command);
  }
}
