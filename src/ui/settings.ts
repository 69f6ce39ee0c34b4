import * as vscode from 'vscode';
import type { Provider } from '../model/index.ts';
import { extensionName, settingKeys } from './ids.ts';

function setting<T>(key: string): T | undefined {
  return vscode.workspace.getConfiguration(extensionName).get<T>(key);
}

/** The settings, read when they are needed: a change counts from the next use on. */
export const settings = {
  serverPort: (): number => setting<number>(settingKeys.serverPort) ?? 8080,
  serverProvider: (): Provider => setting<Provider>(settingKeys.serverProvider) ?? 'auto',
  defaultTrack: (): string => setting<string>(settingKeys.defaultTrack) ?? '',
  /** Undefined: the merge chooses. */
  mergeWorkers: (): number | undefined => setting<number>(settingKeys.mergeWorkers) || undefined,
  concurrency: (): number => setting<number>(settingKeys.concurrency) ?? 4,
};
