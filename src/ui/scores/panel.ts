import * as vscode from 'vscode';
import { Disposable } from '../disposable.ts';
import { showFailure } from '../failures.ts';
import { commandIds, scoresPanelType } from '../ids.ts';
import type { OutputLog } from '../log.ts';
import type { RunsModel } from '../runs/model.ts';
import type { SubmissionsModel } from '../submissions/model.ts';
import type { FromView, ToView } from './messages.ts';
import { pageHtml, pageRoots } from './page.ts';

interface ShowOptions {
  /** Show only the runs that are chosen for comparison. */
  readonly onlyCompared?: boolean;
  readonly preserveFocus?: boolean;
}

const formats = {
  csv: { title: 'CSV', extension: 'csv' },
  markdown: { title: 'Markdown', extension: 'md' },
  html: { title: 'HTML', extension: 'html' },
} as const;

interface Sources {
  readonly extension: vscode.Uri;
  readonly submissions: SubmissionsModel;
  readonly runs: RunsModel;
  readonly log: OutputLog;
}

/** The Scores panel: one for the active submission, which comes back after a reload of the window. */
export class ScoresPanels extends Disposable implements vscode.WebviewPanelSerializer {
  readonly #sources: Sources;
  #panel: vscode.WebviewPanel | undefined;
  /** Set while the page has not said that it stands. */
  #waiting: ToView[] | undefined;

  constructor(sources: Sources) {
    super();
    this.#sources = sources;
    this.register(vscode.window.registerWebviewPanelSerializer(scoresPanelType, this));
    this.register(sources.runs.onDidChange(() => this.#sendScores()));
    this.register(sources.submissions.onDidChange(() => this.#sendScores()));
    this.register({ dispose: () => this.#panel?.dispose() });
  }

  /** Opens the panel, or brings it to the front. */
  show({ onlyCompared, preserveFocus = false }: ShowOptions): void {
    if (this.#panel === undefined) {
      const column = vscode.ViewColumn.Active;
      const place = { viewColumn: column, preserveFocus };
      this.#adopt(vscode.window.createWebviewPanel(scoresPanelType, 'Scores', place));
    } else {
      this.#panel.reveal(undefined, preserveFocus);
    }
    if (onlyCompared !== undefined) this.#send({ kind: 'onlyCompared', on: onlyCompared });
  }

  /** Called when a window with the panel is opened anew; the page has kept its own view of things. */
  async deserializeWebviewPanel(panel: vscode.WebviewPanel): Promise<void> {
    this.#panel?.dispose();
    this.#adopt(panel);
  }

  #adopt(panel: vscode.WebviewPanel): void {
    const { extension } = this.#sources;
    this.#panel = panel;
    this.#waiting = [];
    const icon = (name: string) => vscode.Uri.joinPath(extension, 'media/icons', name);
    panel.iconPath = { light: icon('scores-light.svg'), dark: icon('scores-dark.svg') };
    panel.webview.options = { enableScripts: true, localResourceRoots: pageRoots(extension) };
    const listeners = [
      panel.webview.onDidReceiveMessage((message: unknown) => void this.#receive(message)),
      panel.onDidChangeViewState(() => {
        // A hidden page is gone; it stands anew, and asks anew, when it is shown again.
        if (!panel.visible) this.#waiting = [];
      }),
      panel.onDidDispose(() => {
        for (const listener of listeners) listener.dispose();
        if (this.#panel === panel) this.#panel = undefined;
      }),
    ];
    panel.webview.html = pageHtml(panel.webview, extension, 'scores', 'Scores');
  }

  #send(message: ToView): void {
    if (this.#waiting !== undefined) this.#waiting.push(message);
    else void this.#panel?.webview.postMessage(message);
  }

  #sendScores(): void {
    if (this.#panel === undefined || this.#waiting !== undefined) return;
    const { runs, submissions } = this.#sources;
    const { active } = submissions;
    const { table } = runs;
    const board = active?.track.leaderboard;
    this.#send({
      kind: 'scores',
      submission: active?.name ?? '',
      table:
        table === undefined ? null : { columns: table.columns, rows: table.rows, problems: table.problems },
      compared: [...runs.compared],
      leaderboard:
        board === undefined
          ? null
          : { title: board.title, date: board.date, source: board.source, rows: board.rows },
    });
  }

  async #receive(message: unknown): Promise<void> {
    const { fromViewSchema } = await import('./messages.ts');
    const parsed = fromViewSchema.safeParse(message);
    if (!parsed.success) {
      this.#sources.log.warn(`The Scores panel sent something unknown: ${JSON.stringify(message)}`);
      return;
    }
    try {
      await this.#act(parsed.data);
    } catch (error) {
      await showFailure('Scores', error, this.#sources.log);
    }
  }

  async #act(message: FromView): Promise<void> {
    const { runs, submissions } = this.#sources;
    switch (message.kind) {
      case 'ready': {
        if (!submissions.ready) await submissions.refresh();
        const waiting = this.#waiting ?? [];
        this.#waiting = undefined;
        this.#sendScores();
        for (const later of waiting) this.#send(later);
        return;
      }
      case 'baseline':
        await vscode.commands.executeCommand(commandIds.setBaseline, { run: message.run });
        return;
      case 'compare':
        runs.compare(message.runs);
        return;
      case 'evaluate':
        await vscode.commands.executeCommand(commandIds.sendPrompts);
        return;
      case 'export':
        await this.#export(message.format);
    }
  }

  async #export(format: keyof typeof formats): Promise<void> {
    const { runs, submissions } = this.#sources;
    if (runs.table === undefined) return;
    const { title, extension } = formats[format];
    const folder = submissions.active?.folder;
    const target = await vscode.window.showSaveDialog({
      title: 'Export scores',
      filters: { [title]: [extension] },
      ...(folder === undefined
        ? {}
        : { defaultUri: vscode.Uri.joinPath(vscode.Uri.file(folder), `scores.${extension}`) }),
    });
    if (target === undefined) return;
    const { formatScores } = await import('../../helm/index.ts');
    await vscode.workspace.fs.writeFile(target, Buffer.from(formatScores(runs.table, format)));
  }
}
