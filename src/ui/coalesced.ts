import type * as vscode from 'vscode';

/** A function whose calls within a short time become one, made at the end of that time. */
export interface Coalesced extends vscode.Disposable {
  (): void;
}

/** Runs `work` once, `milliseconds` after the first of any number of calls. */
export function coalesced(work: () => void, milliseconds: number): Coalesced {
  let timer: NodeJS.Timeout | undefined;
  const call = () => {
    timer ??= setTimeout(() => {
      timer = undefined;
      work();
    }, milliseconds);
  };
  return Object.assign(call, { dispose: () => clearTimeout(timer) });
}
