import * as vscode from 'vscode';
import { formatDuration } from '../../base/index.ts';
import type { Job, JobList, JobState } from '../../jobs/index.ts';
import { coalesced } from '../coalesced.ts';
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

/** A row: the same object as long as it is shown, so that a click finds it while its job moves on. */
export interface JobNode {
  readonly id: string;
}

const refreshMilliseconds = 200;

/** The view Jobs: what this window runs, then the last few that ended. */
export class JobsTree extends Disposable implements vscode.TreeDataProvider<JobNode> {
  readonly #jobs: JobList;
  readonly #view: vscode.TreeView<JobNode>;
  readonly #changed = this.register(new vscode.EventEmitter<JobNode[] | undefined>());
  #rows: readonly JobNode[] = [];

  readonly onDidChangeTreeData = this.#changed.event;

  constructor(jobs: JobList) {
    super();
    this.#jobs = jobs;
    this.#view = this.register(vscode.window.createTreeView(viewIds.jobs, { treeDataProvider: this }));
    const refresh = this.register(coalesced(() => this.#refresh(), refreshMilliseconds));
    this.register({ dispose: jobs.onChange(refresh) });
  }

  #refresh(): void {
    const running = this.#running();
    this.#view.badge =
      running.length > 0 ? { value: running.length, tooltip: `${running.length} running` } : undefined;
    const shown = this.#shown();
    const same = shown.length === this.#rows.length && shown.every(({ id }, at) => id === this.#rows[at]?.id);
    // While the list stays the same its rows are drawn anew, not the list: clicks on rows that are taken away and put
    // back are lost.
    this.#changed.fire(same ? [...this.#rows] : undefined);
  }

  #running(): readonly Job[] {
    return this.#jobs.list().filter((job) => job.endedAt === undefined);
  }

  #shown(): readonly Job[] {
    const ended = this.#jobs.list().filter((job) => job.endedAt !== undefined);
    return [...this.#running(), ...ended.slice(0, shownEnded)];
  }

  getChildren(node?: JobNode): JobNode[] {
    if (node !== undefined) return [];
    const known = new Map(this.#rows.map((row) => [row.id, row]));
    this.#rows = this.#shown().map(({ id }) => known.get(id) ?? { id });
    return [...this.#rows];
  }

  getTreeItem({ id }: JobNode): vscode.TreeItem {
    const job = this.#jobs.list().find((one) => one.id === id);
    return job === undefined ? new vscode.TreeItem('') : jobItem(job);
  }
}

function jobItem(job: Job): vscode.TreeItem {
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
