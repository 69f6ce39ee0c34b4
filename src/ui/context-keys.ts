import * as vscode from 'vscode';
import { Disposable } from './disposable.ts';
import { type ContextKey, contextKeys } from './ids.ts';
import type { Reports } from './reports.ts';
import type { RunsModel } from './runs/model.ts';
import type { Servers } from './servers/servers.ts';
import type { SubmissionsModel } from './submissions/model.ts';
import type { StageModel } from './submissions/stage-model.ts';

interface Sources {
  readonly submissions: SubmissionsModel;
  readonly stages: StageModel;
  readonly servers: Servers;
  readonly runs: RunsModel;
  readonly reports: Reports;
}

/** Keeps the when-clause keys of the manifest in step with what there is. */
export class ContextKeys extends Disposable {
  readonly #sources: Sources;
  readonly #published = new Map<ContextKey, boolean>();

  constructor(sources: Sources) {
    super();
    this.#sources = sources;
    const { submissions, stages, servers, runs, reports } = sources;
    for (const source of [submissions, stages, servers, runs, reports]) {
      this.register(source.onDidChange(() => this.#publish()));
    }
    this.#publish();
  }

  #publish(): void {
    const { submissions, stages, servers, runs, reports } = this.#sources;
    const { active, list, ready } = submissions;
    const live = active && servers.of(active.folder);
    const values: Readonly<Record<ContextKey, boolean>> = {
      [contextKeys.ready]: ready,
      [contextKeys.hasSubmission]: active !== undefined,
      [contextKeys.severalSubmissions]: list.length > 1,
      [contextKeys.merged]: stages.record.merge !== undefined,
      [contextKeys.serverRuns]: live?.server !== undefined,
      [contextKeys.hasEndpoint]: live !== undefined,
      [contextKeys.hasRuns]: runs.table !== undefined,
      [contextKeys.checked]: active !== undefined && reports.of(active.folder) !== undefined,
      [contextKeys.packaged]: stages.record.package !== undefined,
    };
    for (const [key, value] of Object.entries(values) as [ContextKey, boolean][]) {
      if (this.#published.get(key) === value) continue;
      this.#published.set(key, value);
      void vscode.commands.executeCommand('setContext', key, value);
    }
  }
}
