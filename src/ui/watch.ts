import * as vscode from 'vscode';
import { coalesced } from './coalesced.ts';

const settleMilliseconds = 300;

/** Calls `changed` once after files of a folder that fit the glob pattern came, changed or went. */
export function watchFiles(folder: string, pattern: string, changed: () => void): vscode.Disposable {
  const watcher = vscode.workspace.createFileSystemWatcher(
    new vscode.RelativePattern(vscode.Uri.file(folder), pattern),
  );
  const settled = coalesced(changed, settleMilliseconds);
  return vscode.Disposable.from(
    watcher,
    settled,
    watcher.onDidCreate(settled),
    watcher.onDidChange(settled),
    watcher.onDidDelete(settled),
  );
}
