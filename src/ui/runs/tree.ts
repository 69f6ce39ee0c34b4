import * as vscode from 'vscode';
import type { ScoreRow } from '../../helm/index.ts';
import { Disposable } from '../disposable.ts';
import { agoText, percentText, signedText } from '../format.ts';
import { commandIds, viewIds } from '../ids.ts';
import type { RunsModel } from './model.ts';

export interface RunNode {
  readonly kind: 'run';
  readonly run: string;
}

/** `61.2 +3.4`: the mean over the scenarios, and its difference to the baseline's. */
export function runText(row: ScoreRow, baseline: ScoreRow | undefined): string {
  if (row.mean === null) return 'incomplete';
  const mean = percentText(row.mean);
  const known = baseline !== undefined && baseline.mean !== null && baseline.run !== row.run;
  return known ? `${mean}  ${signedText(row.mean - (baseline.mean ?? 0))}` : mean;
}

/** The view Runs: one row a run; checked runs are compared, the star marks the baseline. */
export class RunsTree extends Disposable implements vscode.TreeDataProvider<RunNode> {
  readonly #runs: RunsModel;
  readonly #changed = this.register(new vscode.EventEmitter<undefined>());

  readonly onDidChangeTreeData = this.#changed.event;

  constructor(runs: RunsModel) {
    super();
    this.#runs = runs;
    const view = this.register(
      vscode.window.createTreeView(viewIds.runs, {
        treeDataProvider: this,
        manageCheckboxStateManually: true,
      }),
    );
    this.register(runs.onDidChange(() => this.#changed.fire(undefined)));
    this.register(
      view.onDidChangeCheckboxState(({ items }) => {
        const compared = new Set(runs.compared);
        for (const [{ run }, state] of items) {
          if (state === vscode.TreeItemCheckboxState.Checked) compared.add(run);
          else compared.delete(run);
        }
        runs.compare(compared);
      }),
    );
  }

  getChildren(node?: RunNode): RunNode[] {
    if (node !== undefined) return [];
    return (this.#runs.table?.rows ?? []).map(({ run }) => ({ kind: 'run', run }));
  }

  getTreeItem({ run }: RunNode): vscode.TreeItem {
    const item = new vscode.TreeItem(run);
    const rows = this.#runs.table?.rows ?? [];
    const row = rows.find((other) => other.run === run);
    const baseline = rows.find((other) => other.baseline);
    item.id = run;
    item.checkboxState = this.#runs.compared.has(run)
      ? vscode.TreeItemCheckboxState.Checked
      : vscode.TreeItemCheckboxState.Unchecked;
    if (row === undefined) return item;
    const text = runText(row, baseline);
    item.description = text;
    item.iconPath = new vscode.ThemeIcon(row.baseline ? 'star-full' : 'graph');
    item.tooltip = [
      `${run}: ${text}${row.baseline ? ', the baseline' : ''}`,
      agoText(Date.now() - row.changedAt),
    ].join('\n');
    item.accessibilityInformation = { label: `${run}, ${row.baseline ? 'baseline, ' : ''}mean ${text}` };
    item.contextValue = row.baseline ? 'run.baseline' : 'run';
    item.command = { title: 'Show Scores', command: commandIds.showScores };
    return item;
  }
}
