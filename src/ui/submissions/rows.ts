import { basename, join } from 'node:path';
import * as vscode from 'vscode';
import type { Finding, Severity } from '../../doctor/index.ts';
import type { Submission, Track } from '../../submission/index.ts';
import type { Stage, StageState } from './stages.ts';

/** Rows are the same objects as long as they are shown, so that a click finds them while their stages move on. */
export type SubmissionNode =
  | { readonly kind: 'submission'; readonly folder: string; readonly submission: Submission }
  | StageNode
  | { readonly kind: 'finding'; readonly folder: string; readonly finding: Finding };

export interface StageNode {
  readonly kind: 'stage';
  readonly folder: string;
  stage: Stage;
  /** The job that works on it, by which the command that stops it finds it. */
  id: string | undefined;
}

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

/** How a row looks. `active`: its submission is the one that is worked on. */
export function nodeItem(
  node: SubmissionNode,
  { active, findings }: { readonly active: boolean; readonly findings: readonly Finding[] },
): vscode.TreeItem {
  switch (node.kind) {
    case 'submission':
      return submissionItem(node.submission, active);
    case 'stage':
      return stageItem(node.folder, node.stage, node.stage.id === 'doctor' ? findings : []);
    case 'finding':
      return findingItem(node.folder, node.finding);
  }
}

function submissionItem(submission: Submission, active: boolean): vscode.TreeItem {
  const { folder, name, track, kind } = submission;
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

function stageItem(folder: string, stage: Stage, findings: readonly Finding[]): vscode.TreeItem {
  const { id, label, state, description, details, action, open } = stage;
  const item = new vscode.TreeItem(
    label,
    findings.length > 0 ? vscode.TreeItemCollapsibleState.Expanded : vscode.TreeItemCollapsibleState.None,
  );
  // A row that has findings for the first time opens, whatever it was before.
  item.id = `${folder}:${id}${findings.length > 0 ? ':findings' : ''}`;
  item.description = description;
  item.iconPath = icon(stageIcons[state]);
  item.tooltip = new vscode.MarkdownString([`**${label}**: ${description}`, ...details].join('\n\n'));
  item.accessibilityInformation = { label: `${label}, ${stateWords[state]}, ${description}` };
  if (open !== undefined) item.command = { title: 'Show', command: open };
  // The manifest's menus choose the inline action by this: `stage.working`, `stage.merge`.
  item.contextValue = state === 'working' ? 'stage.working' : `stage.${action?.split('.').at(-1) ?? 'none'}`;
  return item;
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
