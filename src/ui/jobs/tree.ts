import * as vscode from 'vscode';
import { formatDuration } from '../../base/index.ts';
import type { Job, JobList, JobState } from '../../jobs/index.ts';
import { Disposable } from '../disposable.ts';
import { progressText } from '../format.ts';
import { commandIds, viewIds } from '../ids.ts';

const shownEnded = 5;

const icons: Readonly<Record<JobState, readonly [icon: string, colour?: string]>> = {
  running: ['loading~spin'],
  stopping: ['loading~spin'],
  done: ['pass', 'testing.iconPassed'],
  failed: ['error', 'testing.iconFailed'],
  cancelled: ['circle-slash'],
};

/** What a row says beside the job's title. */
export function jobText(job: Job, now: number): string {
  switch (job.state) {
    case 'running':
      return progressText(job.progress, now - job.startedAt) || 'running';
    case 'stopping':
      return 'stopping';
    case 'done':
    case 'failed':
    case 'cancelled': {
      const took = formatDuration(((job.endedAt ?? now) - job.startedAt) / 1000);
      return job.state === 'done'
        ? [job.outcome, took].filter(Boolean).join(' · ')
        : `${job.state} · ${took}`;
    }
  }
}

/** The view Jobs: what this window runs, then the last few that ended. */
export class JobsTree extends Disposable implements vscode.TreeDataProvider<Job> {
  readonly #jobs: JobList;
  readonly #changed = this.register(new vscode.EventEmitter<undefined>());

  readonly onDidChangeTreeData = this.#changed.event;

  constructor(jobs: JobList) {
    super();
    this.#jobs = jobs;
    const view = this.register(vscode.window.createTreeView(viewIds.jobs, { treeDataProvider: this }));
    const refresh = () => {
      const running = jobs.list().filter((job) => job.endedAt === undefined).length;
      view.badge = running > 0 ? { value: running, tooltip: `${running} running` } : undefined;
      this.#changed.fire(undefined);
    };
    this.register({ dispose: jobs.onChange(refresh) });
  }

  getChildren(node?: Job): Job[] {
    if (node !== undefined) return [];
    const list = this.#jobs.list();
    const ended = list.filter((job) => job.endedAt !== undefined).slice(0, shownEnded);
    return [...list.filter((job) => job.endedAt === undefined), ...ended];
  }

  getTreeItem(job: Job): vscode.TreeItem {
    const item = new vscode.TreeItem(job.title);
    const [icon, colour] = icons[job.state];
    const text = jobText(job, Date.now());
    item.id = job.id;
    item.description = text;
    item.iconPath = new vscode.ThemeIcon(
      icon,
      colour === undefined ? undefined : new vscode.ThemeColor(colour),
    );
    item.tooltip = [`${job.title}: ${text}`, job.error, new Date(job.startedAt).toLocaleString()]
      .filter(Boolean)
      .join('\n');
    item.accessibilityInformation = { label: `${job.title}, ${job.state}, ${text}` };
    item.contextValue = job.state === 'running' ? 'job.running' : 'job.ended';
    item.command = { title: 'Show Log', command: commandIds.showLog };
    return item;
  }
}
