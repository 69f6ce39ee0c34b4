import * as vscode from 'vscode';
import { coalesced } from '../coalesced.ts';
import { Disposable } from '../disposable.ts';
import { viewIds } from '../ids.ts';
import type { Reports } from '../reports.ts';
import type { SubmissionsModel } from './model.ts';
import { nodeItem, type StageNode, type SubmissionNode } from './rows.ts';
import type { StageModel } from './stage-model.ts';

const refreshMilliseconds = 100;

/** The view Submission: every submission, the active one with its stages, and what the doctor found. */
export class SubmissionTree extends Disposable implements vscode.TreeDataProvider<SubmissionNode> {
  readonly #submissions: SubmissionsModel;
  readonly #stages: StageModel;
  readonly #reports: Reports;
  readonly #changed = this.register(new vscode.EventEmitter<SubmissionNode[] | undefined>());
  readonly #view: vscode.TreeView<SubmissionNode>;
  /** The rows of the active submission's stages, as they are shown. */
  #stageNodes: readonly StageNode[] = [];
  /** What the rows were made from: another structure is drawn as a whole, other contents row by row. */
  #structure = '';
  #minutes: NodeJS.Timeout | undefined;

  readonly onDidChangeTreeData = this.#changed.event;

  constructor(submissions: SubmissionsModel, stages: StageModel, reports: Reports) {
    super();
    this.#submissions = submissions;
    this.#stages = stages;
    this.#reports = reports;
    this.#view = this.register(vscode.window.createTreeView(viewIds.submission, { treeDataProvider: this }));
    const refresh = this.register(coalesced(() => this.#refresh(), refreshMilliseconds));
    this.register(stages.onDidChange(refresh));
    this.register(submissions.onDidChange(refresh));
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
    const { stages } = this.#stages;
    const structure = JSON.stringify([
      list,
      active?.folder,
      stages.map(({ id }) => id),
      active && this.#reports.of(active.folder),
    ]);
    if (structure !== this.#structure) {
      this.#structure = structure;
      this.#changed.fire(undefined);
      return;
    }
    const moved: StageNode[] = [];
    for (const [at, stage] of stages.entries()) {
      const node = this.#stageNodes[at];
      if (node === undefined || JSON.stringify(node.stage) === JSON.stringify(stage)) continue;
      node.stage = stage;
      node.id = stage.job;
      moved.push(node);
    }
    if (moved.length > 0) this.#changed.fire(moved);
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
      this.#stageNodes = this.#stages.stages.map((stage) => ({
        kind: 'stage',
        folder,
        stage,
        id: stage.job,
      }));
      return [...this.#stageNodes];
    }
    if (node.kind === 'stage' && node.stage.id === 'doctor') {
      return this.#findings(folder).map((finding) => ({ kind: 'finding', folder, finding }));
    }
    return [];
  }

  getTreeItem(node: SubmissionNode): vscode.TreeItem {
    const active = node.folder === this.#submissions.active?.folder;
    return nodeItem(node, { active, findings: this.#findings(node.folder) });
  }

  #findings(folder: string) {
    return this.#reports.of(folder)?.report.findings ?? [];
  }
}
