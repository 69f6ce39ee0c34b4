import { basename, join } from 'node:path';
import * as vscode from 'vscode';
import type { Finding, Severity } from '../../doctor/index.ts';
import type { Submission, Track } from '../../submission/index.ts';
import { Disposable } from '../disposable.ts';
import { viewIds } from '../ids.ts';
import type { Reports } from '../reports.ts';
import type { SubmissionsModel } from './model.ts';
import type { StageModel } from './stage-model.ts';
import type { Stage, StageState } from './stages.ts';

export type SubmissionNode =
  | { readonly kind: 'submission'; readonly folder: string; readonly submission: Submission }
  | { readonly kind: 'stage'; readonly folder: string; readonly stage: Stage; readonly id?: string }
  | { readonly kind: 'finding'; readonly folder: string; readonly finding: Finding };

const stageIcons: Readonly<Record<StageState, readonly [icon: string, colour?: string]>> = {
  notYet: ['circle-large-outline'],
  working: ['loading~spin'],
  done: ['pass', 'testing.iconPassed'],
  attention: ['warning', 'list.warningForeground'],
  failed: ['error', 'testing.iconFailed'],
  live: ['broadcast', 'testing.iconPassed'],
};

const stateWords: Readonly<Record<StageState, string>> = {
  notYet: 'not yet',
  working: 'working',
  done: 'done',
  attention: 'needs attention',
  failed: 'failed',
  live: 'live',
};

const findingIcons: Readonly<Record<Severity, readonly [icon: string, colour: string]>> = {
  error: ['error', 'list.errorForeground'],
  warning: ['warning', 'list.warningForeground'],
  info: ['info', 'charts.blue'],
};

function icon([name, colour]: readonly [name: string, colour?: string]): vscode.ThemeIcon {
  return new vscode.ThemeIcon(name, colour === undefined ? undefined : new vscode.ThemeColor(colour));
}

/** `closed 2024-10-11`, or the days that are left until the track closes. */
export function trackTime({ closes }: Track, now: number): string {
  if (closes === undefined) return '';
  const days = Math.ceil((Date.parse(closes.value) - now) / 86_400_000) + 1;
  if (Number.isNaN(days)) return '';
  if (days <= 0) return `closed ${closes.value}`;
  return days === 1 ? 'closes today' : `${days} days left`;
}

/** The view Submission: every submission, the active one with its stages, and what the doctor found. */
export class SubmissionTree extends Disposable implements vscode.TreeDataProvider<SubmissionNode> {
  readonly #submissions: SubmissionsModel;
  readonly #stages: StageModel;
  readonly #reports: Reports;
  readonly #changed = this.register(new vscode.EventEmitter<undefined>());
  readonly #view: vscode.TreeView<SubmissionNode>;
  #minutes: NodeJS.Timeout | undefined;

  readonly onDidChangeTreeData = this.#changed.event;

  constructor(submissions: SubmissionsModel, stages: StageModel, reports: Reports) {
    super();
    this.#submissions = submissions;
    this.#stages = stages;
    this.#reports = reports;
    this.#view = this.register(
      vscode.window.createTreeView(viewIds.submission, { treeDataProvider: this, showCollapseAll: false }),
    );
    this.register(stages.onDidChange(() => this.#refresh()));
    this.register(submissions.onDidChange(() => this.#refresh()));
    this.register(this.#view.onDidChangeVisibility(({ visible }) => this.#keepTime(visible)));
    this.register({ dispose: () => clearInterval(this.#minutes) });
  }

  /** "2 m ago" must not stay for an hour; while nobody sees it, it may. */
  #keepTime(visible: boolean): void {
    clearInterval(this.#minutes);
    if (!visible) return;
    this.#refresh();
    this.#minutes = setInterval(() => this.#refresh(), 60_000);
  }

  #refresh(): void {
    const { active, list } = this.#submissions;
    this.#view.description = (list.length > 1 && active?.name) || '';
    this.#changed.fire(undefined);
  }

  getChildren(node?: SubmissionNode): SubmissionNode[] {
    if (node === undefined) {
      return this.#submissions.list.map((submission) => ({
        kind: 'submission',
        folder: submission.folder,
        submission,
      }));
    }
    const { folder } = node;
    if (node.kind === 'submission') {
      if (folder !== this.#submissions.active?.folder) return [];
      return this.#stages.stages.map((stage) => ({
        kind: 'stage',
        folder,
        stage,
        // The command that stops a job finds it by this.
        ...(stage.job === undefined ? {} : { id: stage.job }),
      }));
    }
    if (node.kind === 'stage' && node.stage.id === 'doctor') {
      const findings = this.#reports.of(folder)?.report.findings ?? [];
      return findings.map((finding) => ({ kind: 'finding', folder, finding }));
    }
    return [];
  }

  getTreeItem(node: SubmissionNode): vscode.TreeItem {
    switch (node.kind) {
      case 'submission':
        return this.#submissionItem(node.submission);
      case 'stage':
        return this.#stageItem(node.folder, node.stage);
      case 'finding':
        return findingItem(node.folder, node.finding);
    }
  }

  #submissionItem(submission: Submission): vscode.TreeItem {
    const { folder, name, track, kind } = submission;
    const active = folder === this.#submissions.active?.folder;
    const item = new vscode.TreeItem(
      name,
      active ? vscode.TreeItemCollapsibleState.Expanded : vscode.TreeItemCollapsibleState.None,
    );
    // Expansion belongs to the state: the one that becomes active opens, the other closes.
    item.id = `${folder}${active ? ':active' : ''}`;
    const time = trackTime(track, Date.now());
    item.description = [track.name, time].filter(Boolean).join(' · ');
    item.tooltip = new vscode.MarkdownString(
      [`**${name}**, ${kind} submission`, track.name, time, `\`${folder}\``].filter(Boolean).join('\n\n'),
    );
    item.contextValue = active ? 'submission.active' : 'submission.other';
    item.iconPath = new vscode.ThemeIcon(active ? 'beaker' : 'circle-outline');
    return item;
  }

  #stageItem(folder: string, stage: Stage): vscode.TreeItem {
    const { id, label, state, description, details, action, open } = stage;
    const findings = id === 'doctor' ? (this.#reports.of(folder)?.report.findings ?? []) : [];
    const item = new vscode.TreeItem(
      label,
      findings.length > 0 ? vscode.TreeItemCollapsibleState.Expanded : vscode.TreeItemCollapsibleState.None,
    );
    item.id = `${folder}:${id}`;
    item.description = description;
    item.iconPath = icon(stageIcons[state]);
    item.tooltip = new vscode.MarkdownString([`**${label}**: ${description}`, ...details].join('\n\n'));
    item.accessibilityInformation = { label: `${label}, ${stateWords[state]}, ${description}` };
    if (open !== undefined) item.command = { title: 'Show', command: open };
    // The manifest's menus choose the inline action by this: `stage.working`, `stage.merge`.
    item.contextValue =
      state === 'working' ? 'stage.working' : `stage.${action?.split('.').at(-1) ?? 'none'}`;
    return item;
  }
}

function findingItem(folder: string, finding: Finding): vscode.TreeItem {
  const { message, file, line, rule, severity, why, fix } = finding;
  const item = new vscode.TreeItem(message);
  const path = join(folder, file);
  const whole = file === '.' || file.endsWith('/');
  item.description = whole ? '' : `${basename(file)}:${line}`;
  item.iconPath = icon(findingIcons[severity]);
  item.tooltip = new vscode.MarkdownString(
    [`**${rule}** · ${severity}`, message, why, fix, whole ? '' : `\`${file}:${line}\``]
      .filter(Boolean)
      .join('\n\n'),
  );
  item.contextValue = 'finding';
  if (!whole) {
    const position = new vscode.Position(Math.max(0, line - 1), 0);
    item.command = {
      title: 'Open',
      command: 'vscode.open',
      arguments: [vscode.Uri.file(path), { selection: new vscode.Range(position, position) }],
    };
  }
  return item;
}
