import * as vscode from 'vscode';
import type { JobList } from '../jobs/index.ts';
import { Disposable } from './disposable.ts';
import { viewIds } from './ids.ts';
import type { Servers } from './servers/servers.ts';
import { addressText } from './submissions/stages.ts';

/** One item, and only while something runs or a server is live. A click opens the view. */
export class StatusBar extends Disposable {
  readonly #jobs: JobList;
  readonly #servers: Servers;
  readonly #item = this.register(
    vscode.window.createStatusBarItem('submissionStudio.work', vscode.StatusBarAlignment.Left),
  );

  constructor(jobs: JobList, servers: Servers) {
    super();
    this.#jobs = jobs;
    this.#servers = servers;
    this.#item.name = 'Submission';
    this.register({ dispose: jobs.onChange(() => this.#update()) });
    this.register(servers.onDidChange(() => this.#update()));
  }

  #update(): void {
    const [running] = this.#jobs.list().filter((job) => job.endedAt === undefined);
    const [live] = this.#servers.all;
    if (running !== undefined) {
      const { done = 0, total = 0 } = running.progress ?? {};
      const percent = total > 0 ? ` ${Math.round((100 * done) / total)} %` : '';
      this.#item.text = `$(sync~spin) ${running.kind}${percent}`;
      this.#item.tooltip = running.title;
      this.#item.command = `${viewIds.jobs}.focus`;
      this.#item.accessibilityInformation = { label: `${running.title} is running${percent}` };
    } else if (live !== undefined) {
      const { title, url } = live.endpoint;
      this.#item.text = `$(broadcast) ${addressText(url)}`;
      this.#item.tooltip = `${title}\n${url}`;
      this.#item.command = `${viewIds.submission}.focus`;
      this.#item.accessibilityInformation = { label: `${title} is live on ${url}` };
    } else {
      this.#item.hide();
      return;
    }
    this.#item.show();
  }
}
