import type * as vscode from 'vscode';

/** What holds listeners, views or processes and lets go of all of them at once. */
export abstract class Disposable implements vscode.Disposable {
  readonly #held: vscode.Disposable[] = [];
  #disposed = false;

  get isDisposed(): boolean {
    return this.#disposed;
  }

  /** Holds `disposable` until this object is disposed of. */
  protected register<T extends vscode.Disposable>(disposable: T): T {
    if (this.#disposed) disposable.dispose();
    else this.#held.push(disposable);
    return disposable;
  }

  dispose(): void {
    this.#disposed = true;
    for (const disposable of this.#held.splice(0).reverse()) disposable.dispose();
  }
}
