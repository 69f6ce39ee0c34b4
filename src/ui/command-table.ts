import * as vscode from 'vscode';
import { UserError } from '../base/index.ts';
import { Disposable } from './disposable.ts';
import { showFailure } from './failures.ts';
import type { CommandId } from './ids.ts';
import type { OutputLog } from './log.ts';

/** A command: what it is called in messages, and what it does. */
export interface Command {
  /** For failures: `Merge`, as in "Merge: recipe.yml:3: …". */
  readonly title: string;
  /** Also in folders that are not trusted: it neither reads nor runs what lies in them. */
  readonly inUntrusted?: boolean;
  /** `argument` is what a menu, a tree row, another extension or a test gives; see {@link textOf}. */
  run(argument: unknown): Promise<unknown> | unknown;
}

export type CommandTable = Readonly<Record<CommandId, Command>>;

/** Registers all commands. Each is logged with its duration; failures are shown once; nothing runs untrusted. */
export class Commands extends Disposable {
  constructor(table: CommandTable, log: OutputLog) {
    super();
    for (const [id, command] of Object.entries(table)) {
      this.register(
        vscode.commands.registerCommand(id, (argument: unknown) => runCommand(command, argument, log)),
      );
    }
  }
}

async function runCommand(command: Command, argument: unknown, log: OutputLog): Promise<unknown> {
  const startedAt = performance.now();
  try {
    if (!vscode.workspace.isTrusted && !command.inUntrusted) {
      throw new UserError('This folder is not trusted, so nothing in it is run', {
        remedy: 'Trust it with "Workspaces: Manage Workspace Trust" first.',
      });
    }
    const result = await command.run(argument);
    log.debug(`${command.title}: ${Math.round(performance.now() - startedAt)} ms`);
    return result;
  } catch (error) {
    // Not waited for: the notification may stand for as long as the person likes.
    void showFailure(command.title, error, log);
    return undefined;
  }
}

function fieldOf(argument: unknown, key: string): unknown {
  return typeof argument === 'object' && argument !== null
    ? (argument as Record<string, unknown>)[key]
    : undefined;
}

/** A text field of a command's argument; undefined where there is none. */
export function textOf(argument: unknown, key: string): string | undefined {
  const value = fieldOf(argument, key);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** A number field of a command's argument. */
export function numberOf(argument: unknown, key: string): number | undefined {
  const value = fieldOf(argument, key);
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

/** Whether a field of a command's argument is true. */
export function flagOf(argument: unknown, key: string): boolean {
  return fieldOf(argument, key) === true;
}

/** A list of texts of a command's argument. */
export function textsOf(argument: unknown, key: string): readonly string[] | undefined {
  const value = fieldOf(argument, key);
  return Array.isArray(value) && value.every((item) => typeof item === 'string') ? value : undefined;
}
