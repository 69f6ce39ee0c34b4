import * as vscode from 'vscode';
import { Disposable } from './disposable.ts';

const scheme = 'submission-studio';

/** Reports that are shown as rendered Markdown: read-only, and kept as long as the window. */
export class Documents extends Disposable implements vscode.TextDocumentContentProvider {
  readonly #texts = new Map<string, string>();
  readonly #changed = this.register(new vscode.EventEmitter<vscode.Uri>());

  readonly onDidChange = this.#changed.event;

  constructor() {
    super();
    this.register(vscode.workspace.registerTextDocumentContentProvider(scheme, this));
  }

  provideTextDocumentContent(uri: vscode.Uri): string {
    return (
      this.#texts.get(uri.toString()) ?? 'This report was made in an earlier window. Run its command again.'
    );
  }

  /** Shows a report under a title; a later one with the same title takes its place. */
  async show(title: string, markdown: string): Promise<void> {
    const uri = vscode.Uri.from({ scheme, path: `/${title}.md` });
    this.#texts.set(uri.toString(), markdown);
    this.#changed.fire(uri);
    await vscode.commands.executeCommand('markdown.showPreview', uri);
  }
}
