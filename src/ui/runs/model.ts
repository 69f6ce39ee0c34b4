import { join } from 'node:path';
import * as vscode from 'vscode';
import type { ScoreTable } from '../../helm/index.ts';
import type { Submission } from '../../submission/index.ts';
import { Disposable } from '../disposable.ts';
import type { OutputLog } from '../log.ts';
import { exists } from '../submissions/folder.ts';
import type { SubmissionsModel } from '../submissions/model.ts';
import { runTask } from '../tasks/client.ts';
import { watchFiles } from '../watch.ts';

/** The files that a run writes last: per_instance_stats.json or stats.json, by who wrote it. */
const written = 'benchmark_output/runs/**/*stats.json';

/** Where a submission's runs are, as `helm-run` and our evaluation write them. */
export const outputFolder = (submission: Submission) => join(submission.folder, 'benchmark_output');

/** The runs of the active submission side by side, read anew when its run directories change. */
export class RunsModel extends Disposable {
  readonly #submissions: SubmissionsModel;
  readonly #log: OutputLog;
  readonly #changed = this.register(new vscode.EventEmitter<void>());
  readonly #compared = new Map<string, ReadonlySet<string>>();
  #watched: { readonly folder: string; readonly watcher: vscode.Disposable } | undefined;
  #table: ScoreTable | undefined;
  #baseline: string | undefined;
  #reading: Promise<void> = Promise.resolve();

  readonly onDidChange = this.#changed.event;

  constructor(submissions: SubmissionsModel, log: OutputLog) {
    super();
    this.#submissions = submissions;
    this.#log = log;
    this.register(submissions.onDidChange(() => this.#follow()));
    this.register({
      dispose: () => {
        this.#watched?.watcher.dispose();
      },
    });
  }

  /** Undefined until it has been read, and without runs. */
  get table(): ScoreTable | undefined {
    return this.#table;
  }

  get baseline(): string | undefined {
    return this.#baseline;
  }

  /** Runs that are chosen for comparison. */
  get compared(): ReadonlySet<string> {
    return this.#compared.get(this.#submissions.active?.folder ?? '') ?? new Set();
  }

  compare(runs: Iterable<string>): void {
    const folder = this.#submissions.active?.folder;
    if (folder === undefined) return;
    this.#compared.set(folder, new Set(runs));
    this.#changed.fire();
  }

  /** Makes a run the one that others are compared to; undefined for none. */
  async setBaseline(run: string | undefined): Promise<void> {
    const submission = this.#submissions.active;
    if (submission === undefined) return;
    const { updateRecord } = await import('../../submission/index.ts');
    await updateRecord(submission.folder, { baseline: run });
    await this.refresh();
  }

  #follow(): void {
    const folder = this.#submissions.active?.folder;
    if (folder === this.#watched?.folder) return;
    this.#watched?.watcher.dispose();
    this.#watched =
      folder === undefined
        ? undefined
        : { folder, watcher: watchFiles(folder, written, () => void this.refresh()) };
    void this.refresh();
  }

  /** Reads the runs anew; a call while one runs is served after it. */
  refresh(): Promise<void> {
    this.#reading = this.#reading.then(() => this.#read());
    return this.#reading;
  }

  async #read(): Promise<void> {
    const submission = this.#submissions.active;
    if (this.isDisposed) return;
    let table: ScoreTable | undefined;
    let baseline: string | undefined;
    try {
      if (submission !== undefined && (await exists(join(outputFolder(submission), 'runs')))) {
        const { readRecord } = await import('../../submission/index.ts');
        // A record that cannot be read costs the baseline, not the runs.
        const record = await readRecord(submission.folder).catch((error) => {
          this.#log.error('The record of the submission cannot be read', error);
          return undefined;
        });
        baseline = record?.baseline;
        const input = { out: outputFolder(submission) };
        table = await runTask('readScores', input);
        // A baseline whose runs were deleted is none any more.
        if (!table.rows.some(({ run }) => run === baseline)) baseline = undefined;
        if (baseline !== undefined) table = await runTask('readScores', { ...input, baseline });
      }
    } catch (error) {
      this.#log.error('The runs cannot be read', error);
    }
    if (this.#submissions.active?.folder !== submission?.folder) return;
    this.#table = table !== undefined && table.rows.length > 0 ? table : undefined;
    this.#baseline = baseline;
    this.#changed.fire();
  }
}
