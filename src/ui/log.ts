import * as vscode from 'vscode';
import { errorDetails, type Log, maskSecrets } from '../base/index.ts';
import { Disposable } from './disposable.ts';

/** The log that people open with "Show Log"; what looks like a credential is masked before it is written. */
export class OutputLog extends Disposable implements Log {
  readonly #channel = this.register(vscode.window.createOutputChannel('Submission Studio', { log: true }));

  debug(message: string): void {
    this.#channel.debug(maskSecrets(message));
  }

  info(message: string): void {
    this.#channel.info(maskSecrets(message));
  }

  warn(message: string): void {
    this.#channel.warn(maskSecrets(message));
  }

  error(message: string, error?: unknown): void {
    const details = error === undefined ? '' : `\n${errorDetails(error)}`;
    this.#channel.error(`${maskSecrets(message)}${details}`);
  }

  show(): void {
    this.#channel.show(true);
  }
}
