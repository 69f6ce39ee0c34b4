import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import * as vscode from 'vscode';

export const extensionId = 'submission-studio.submission-studio';

/** The folder that the test window shows. */
export function workspaceFolder(): string {
  const folder = vscode.workspace.workspaceFolders?.[0];
  assert.ok(folder, 'the window shows no folder');
  return folder.uri.fsPath;
}

export async function activate(): Promise<void> {
  await vscode.extensions.getExtension(extensionId)?.activate();
}

/** Runs a command of ours by the last part of its id. */
export async function run<T = unknown>(name: string, argument?: unknown): Promise<T> {
  await activate();
  return vscode.commands.executeCommand<T>(`submissionStudio.${name}`, argument);
}

/** Waits until `probe` gives something, at most `seconds`. */
export async function eventually<T>(what: string, probe: () => T | undefined, seconds = 20): Promise<T> {
  for (let left = seconds * 20; left > 0; left--) {
    const found = probe();
    if (found !== undefined) return found;
    await sleep(50);
  }
  throw new Error(`${what}: not within ${seconds} s`);
}

export interface Shown {
  readonly text: string;
  readonly actions: readonly string[];
}

/** Collects the error notifications that `work` causes, and dismisses them. */
export async function collectErrors(work: () => Promise<unknown>): Promise<Shown[]> {
  const shown: Shown[] = [];
  const window = vscode.window as unknown as { showErrorMessage: (...parts: string[]) => Promise<undefined> };
  const original = window.showErrorMessage;
  window.showErrorMessage = async (text, ...actions) => {
    shown.push({ text, actions });
    return undefined;
  };
  try {
    await work();
    // The wrapper looks whether a file can be opened before it shows the notification.
    await sleep(300);
  } finally {
    window.showErrorMessage = original;
  }
  return shown;
}
