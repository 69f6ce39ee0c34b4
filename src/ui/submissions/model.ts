import * as vscode from 'vscode';
import type { Submission } from '../../submission/index.ts';
import { Disposable } from '../disposable.ts';
import { stateKeys } from '../ids.ts';
import type { OutputLog } from '../log.ts';
import { watchFiles } from '../watch.ts';

/** Files whose coming and going can make a folder a submission, or end that. */
const markers = '**/{submission.yaml,main.py,setup.py,Dockerfile,*.Dockerfile,Dockerfile.*}';

/** All submissions of all workspace folders, and which of them is the active one. */
export class SubmissionsModel extends Disposable {
  readonly #state: vscode.Memento;
  readonly #log: OutputLog;
  readonly #changed = this.register(new vscode.EventEmitter<void>());
  readonly #watchers = new Map<string, vscode.Disposable>();
  #list: readonly Submission[] = [];
  #detection: Promise<void> | undefined;
  #ready = false;

  /** The list or the active one is another now. */
  readonly onDidChange = this.#changed.event;

  constructor(state: vscode.Memento, log: OutputLog) {
    super();
    this.#state = state;
    this.#log = log;
    this.register(vscode.workspace.onDidChangeWorkspaceFolders(() => this.#folders()));
    this.register(vscode.workspace.onDidGrantWorkspaceTrust(() => this.#folders()));
    this.register({
      dispose: () => {
        for (const watcher of this.#watchers.values()) watcher.dispose();
      },
    });
  }

  get list(): readonly Submission[] {
    return this.#list;
  }

  /** Whether the folders have been looked through at least once. */
  get ready(): boolean {
    return this.#ready;
  }

  /** The one that was chosen last in this workspace, else the first. */
  get active(): Submission | undefined {
    const chosen = this.#state.get<string>(stateKeys.activeSubmission);
    return this.#list.find(({ folder }) => folder === chosen) ?? this.#list[0];
  }

  /** The submission at a folder. */
  find(folder: string): Submission | undefined {
    return this.#list.find((submission) => submission.folder === folder);
  }

  async activate(folder: string): Promise<void> {
    await this.#state.update(stateKeys.activeSubmission, folder);
    this.#changed.fire();
  }

  /** Starts to watch and looks through the folders for the first time. */
  start(): void {
    this.#folders();
  }

  #folders(): void {
    const folders = vscode.workspace.isTrusted ? (vscode.workspace.workspaceFolders ?? []) : [];
    const wanted = new Map(folders.map((folder) => [folder.uri.toString(), folder]));
    for (const [key, watcher] of this.#watchers) {
      if (wanted.has(key)) continue;
      watcher.dispose();
      this.#watchers.delete(key);
    }
    for (const [key, folder] of wanted) {
      if (this.#watchers.has(key)) continue;
      this.#watchers.set(
        key,
        watchFiles(folder.uri.fsPath, markers, () => void this.refresh()),
      );
    }
    void this.refresh();
  }

  /** Looks through the folders anew; a call while one runs is served after it. */
  refresh(): Promise<void> {
    const previous = this.#detection ?? Promise.resolve();
    const next = previous.then(() => this.#detect());
    this.#detection = next;
    return next;
  }

  async #detect(): Promise<void> {
    if (this.isDisposed) return;
    const folders = vscode.workspace.isTrusted ? (vscode.workspace.workspaceFolders ?? []) : [];
    const { detectSubmissions } = await import('../../submission/index.ts');
    const found: Submission[] = [];
    for (const folder of folders.filter(({ uri }) => uri.scheme === 'file')) {
      try {
        found.push(...(await detectSubmissions(folder.uri.fsPath)));
      } catch (error) {
        // One broken submission.yaml must not hide the other folders; the doctor names its line.
        this.#log.error(`Cannot look through ${folder.uri.fsPath}`, error);
      }
    }
    const before = JSON.stringify(this.#list);
    // Folders of a workspace may lie in one another.
    this.#list = [...new Map(found.map((one) => [one.folder, one])).values()];
    const same = this.#ready && JSON.stringify(this.#list) === before;
    this.#ready = true;
    if (!same) this.#changed.fire();
  }
}
