import * as vscode from 'vscode';
import { describeError, failureKind, fromSystemError, UserError } from '../base/index.ts';
import type { OutputLog } from './log.ts';

/** A failure as a notification shows it. */
export interface FailureMessage {
  /** What failed, where, why and what to do. */
  readonly text: string;
  /** The file that a button opens; `line` is 1-based. */
  readonly file?: { readonly path: string; readonly line?: number };
}

/** Words of a failure for a notification; `shorten` makes a path readable. */
export function failureMessage(thrown: unknown, shorten: (path: string) => string): FailureMessage {
  const error = fromSystemError(thrown, 'The operation failed');
  const file = error instanceof UserError ? error.place.file : undefined;
  const described = describeError(error);
  const text = file === undefined ? described : described.replaceAll(file, shorten(file));
  if (file === undefined || !(error instanceof UserError)) return { text };
  return {
    text,
    file: { path: file, ...(error.place.line === undefined ? {} : { line: error.place.line }) },
  };
}

/** Opens a file at a line (1-based). */
export async function openAt(path: string, line = 1): Promise<void> {
  const position = new vscode.Position(line - 1, 0);
  await vscode.window.showTextDocument(vscode.Uri.file(path), {
    selection: new vscode.Range(position, position),
  });
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await vscode.workspace.fs.stat(vscode.Uri.file(path))).type === vscode.FileType.File;
  } catch {
    return false;
  }
}

/**
 * Tells of a failure once: the notification has what, where, why and what to do, the log has stack and causes. What
 * a person cancelled is no failure.
 */
export async function showFailure(title: string, thrown: unknown, log: OutputLog): Promise<void> {
  if (failureKind(thrown) === 'cancelled' || thrown instanceof vscode.CancellationError) {
    log.info(`${title}: cancelled`);
    return;
  }
  log.error(`${title} failed`, thrown);
  const { text, file } = failureMessage(thrown, (path) => vscode.workspace.asRelativePath(path));
  const openFile = 'Open File';
  const showLog = 'Show Log';
  const actions = file !== undefined && (await isFile(file.path)) ? [openFile, showLog] : [showLog];
  const chosen = await vscode.window.showErrorMessage(`${title}: ${text}`, ...actions);
  if (chosen === showLog) log.show();
  if (chosen === openFile && file !== undefined) await openAt(file.path, file.line);
}
