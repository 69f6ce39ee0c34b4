import * as vscode from 'vscode';
import type { Job, JobList } from '../jobs/index.ts';
import { Disposable } from './disposable.ts';
import { commandIds, viewIds } from './ids.ts';
import type { LiveEndpoint, Servers } from './servers/servers.ts';
import type { SubmissionsModel } from './submissions/model.ts';
import { addressText } from './submissions/stages.ts';

/** What the status bar says. */
interface StatusText {
  readonly text: string;
  /** Full words, for the hover and for screen readers. */
  readonly words: string;
  /** What a click does. */
  readonly command: string;
}

function jobStatus({ kind, title, progress }: Job): StatusText {
  const { done = 0, total = 0 } = progress ?? {};
  const percent = total > 0 ? ` ${Math.round((100 * done) / total)} %` : '';
  return {
    text: `$(sync~spin) ${kind}${percent}`,
    words: `${title} is running${percent}`,
    command: `${viewIds.jobs}.focus`,
  };
}

function serverStatus({ endpoint }: LiveEndpoint): StatusText {
  return {
    text: `$(broadcast) ${addressText(endpoint.url)}`,
    words: `${vscode.workspace.asRelativePath(endpoint.title)} is live on ${endpoint.url}`,
    command: `${viewIds.submission}.focus`,
  };
}

/**
 * One item: what runs, else the server that is live, else, where there are several, the submission that is worked on.
 * Without any of these there is none.
 */
export class StatusBar extends Disposable {
  readonly #jobs: JobList;
  readonly #servers: Servers;
  readonly #submissions: SubmissionsModel;
  readonly #item = this.register(
    vscode.window.createStatusBarItem('submissionStudio.work', vscode.StatusBarAlignment.Left),
  );

  constructor(jobs: JobList, servers: Servers, submissions: SubmissionsModel) {
    super();
    this.#jobs = jobs;
    this.#servers = servers;
    this.#submissions = submissions;
    this.#item.name = 'Submission';
    this.register({ dispose: jobs.onChange(() => this.#update()) });
    this.register(servers.onDidChange(() => this.#update()));
    this.register(submissions.onDidChange(() => this.#update()));
  }

  #status(): StatusText | undefined {
    const job = this.#jobs.list().find(({ endedAt }) => endedAt === undefined);
    if (job !== undefined) return jobStatus(job);
    const [live] = this.#servers.all;
    if (live !== undefined) return serverStatus(live);
    const { list, active } = this.#submissions;
    if (list.length < 2 || active === undefined) return undefined;
    return {
      text: `$(beaker) ${active.name}`,
      words: `You work on the submission ${active.name}; click to switch`,
      command: commandIds.switchSubmission,
    };
  }

  #update(): void {
    const status = this.#status();
    if (status === undefined) {
      this.#item.hide();
      return;
    }
    this.#item.text = status.text;
    this.#item.tooltip = status.words;
    this.#item.command = status.command;
    this.#item.accessibilityInformation = { label: status.words };
    this.#item.show();
  }
}
