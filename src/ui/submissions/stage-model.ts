import { relative, resolve, sep } from 'node:path';
import * as vscode from 'vscode';
import type { JobList } from '../../jobs/index.ts';
import type { Submission, SubmissionRecord } from '../../submission/index.ts';
import { Disposable } from '../disposable.ts';
import type { OutputLog } from '../log.ts';
import type { Reports } from '../reports.ts';
import type { RunsModel } from '../runs/model.ts';
import type { Servers } from '../servers/servers.ts';
import { watchFiles } from '../watch.ts';
import { exists, type FolderContents, readFolderContents, sha256Of } from './folder.ts';
import type { SubmissionsModel } from './model.ts';
import { type EndpointFacts, type ScoreFacts, type Stage, type StageFacts, stagesOf } from './stages.ts';

/** Files by which the stages change. */
const watched = '{.submission/state.json,**/*.yml,**/*.yaml,**/config.json}';

/** What the disk says of the active submission. */
interface FileFacts extends FolderContents {
  readonly folder: string;
  readonly record: SubmissionRecord;
  readonly recipeSha256?: string;
  readonly mergedStands: boolean;
  readonly packageStands: boolean;
}

interface Sources {
  readonly submissions: SubmissionsModel;
  readonly servers: Servers;
  readonly runs: RunsModel;
  readonly reports: Reports;
  readonly jobs: JobList;
  readonly log: OutputLog;
}

/** The stages of the active submission, put together from the disk, the servers, the runs, the reports and the jobs. */
export class StageModel extends Disposable {
  readonly #sources: Sources;
  readonly #changed = this.register(new vscode.EventEmitter<void>());
  readonly #savedAt = new Map<string, number>();
  #files: FileFacts | undefined;
  #watched: { readonly folder: string; readonly watcher: vscode.Disposable } | undefined;
  #reading: Promise<void> = Promise.resolve();

  readonly onDidChange = this.#changed.event;

  constructor(sources: Sources) {
    super();
    this.#sources = sources;
    const { submissions, servers, runs, reports, jobs } = sources;
    const fire = () => this.#changed.fire();
    this.register(submissions.onDidChange(() => this.#follow()));
    this.register(servers.onDidChange(fire));
    this.register(runs.onDidChange(() => void this.refresh()));
    this.register(reports.onDidChange(fire));
    this.register({ dispose: jobs.onChange(fire) });
    this.register(vscode.workspace.onDidSaveTextDocument(({ uri }) => this.#saved(uri)));
    this.register({
      dispose: () => {
        this.#watched?.watcher.dispose();
      },
    });
  }

  /** Recipes and checkpoints of the active submission, as of the last look. */
  get contents(): FolderContents {
    return this.#files ?? { recipes: [], checkpoints: [] };
  }

  get record(): SubmissionRecord {
    return this.#files?.record ?? {};
  }

  /** The stages of the active submission; none while there is none or it has not been looked at. */
  get stages(): readonly Stage[] {
    const submission = this.#sources.submissions.active;
    const files = this.#files;
    if (submission === undefined || files === undefined || files.folder !== submission.folder) return [];
    return stagesOf(this.#facts(submission, files));
  }

  #facts(submission: Submission, { folder, checkpoints: _, ...files }: FileFacts): StageFacts {
    const { jobs, reports } = this.#sources;
    const endpoint = this.#endpoint(folder);
    const scores = this.#scores(files.record);
    const report = reports.of(folder);
    const savedAt = this.#savedAt.get(folder);
    return {
      ...files,
      submission,
      jobs: jobs
        .list()
        .filter((job) => job.folder === folder)
        .sort((a, b) => b.startedAt - a.startedAt),
      now: Date.now(),
      ...(endpoint && { endpoint }),
      ...(scores && { scores }),
      ...(report && { report }),
      ...(savedAt !== undefined && { savedAt }),
    };
  }

  #endpoint(folder: string): EndpointFacts | undefined {
    const live = this.#sources.servers.of(folder);
    if (live === undefined) return undefined;
    const { url, via, title } = live.endpoint;
    return { url, via, title, ours: live.server !== undefined };
  }

  #scores({ evaluate }: SubmissionRecord): ScoreFacts | undefined {
    const { table, baseline } = this.#sources.runs;
    const row = table?.rows.find(({ run }) => run === evaluate?.name);
    if (row === undefined) return undefined;
    const base = table?.rows.find((other) => other.baseline)?.mean ?? null;
    return {
      run: row.run,
      mean: row.mean,
      delta: row.mean === null || base === null ? null : row.mean - base,
      ...(baseline === undefined ? {} : { baseline }),
    };
  }

  #saved(uri: vscode.Uri): void {
    const folder = this.#sources.submissions.active?.folder;
    if (folder === undefined || uri.scheme !== 'file') return;
    const path = relative(folder, uri.fsPath);
    if (path.startsWith('..') || /^(\.submission|benchmark_output|out)$/.test(path.split(sep)[0] ?? ''))
      return;
    this.#savedAt.set(folder, Date.now());
    this.#changed.fire();
  }

  #follow(): void {
    const folder = this.#sources.submissions.active?.folder;
    if (folder !== this.#watched?.folder) {
      this.#watched?.watcher.dispose();
      this.#watched =
        folder === undefined
          ? undefined
          : { folder, watcher: watchFiles(folder, watched, () => void this.refresh()) };
    }
    void this.refresh();
  }

  /** Looks at the disk anew; a call while one runs is served after it. */
  refresh(): Promise<void> {
    this.#reading = this.#reading.then(() => this.#read());
    return this.#reading;
  }

  async #read(): Promise<void> {
    const folder = this.#sources.submissions.active?.folder;
    if (this.isDisposed) return;
    this.#files = folder === undefined ? undefined : await this.#readFiles(folder);
    this.#changed.fire();
  }

  async #readFiles(folder: string): Promise<FileFacts> {
    const { readRecord } = await import('../../submission/index.ts');
    const record = await readRecord(folder).catch((error: unknown): SubmissionRecord => {
      this.#sources.log.error('The record of the submission cannot be read', error);
      return {};
    });
    const [contents, recipeSha256, mergedStands, packageStands] = await Promise.all([
      readFolderContents(folder),
      record.merge && sha256Of(resolve(folder, record.merge.recipe)),
      record.merge ? exists(resolve(folder, record.merge.out)) : false,
      record.package ? exists(resolve(folder, record.package.file)) : false,
    ]);
    return {
      folder,
      record,
      ...contents,
      mergedStands,
      packageStands,
      ...(recipeSha256 === undefined ? {} : { recipeSha256 }),
    };
  }
}
