import { join } from 'node:path';
import * as vscode from 'vscode';
import type { DoctorReport, Finding, Severity } from '../doctor/index.ts';
import { Disposable } from './disposable.ts';

const severities: Readonly<Record<Severity, vscode.DiagnosticSeverity>> = {
  error: vscode.DiagnosticSeverity.Error,
  warning: vscode.DiagnosticSeverity.Warning,
  info: vscode.DiagnosticSeverity.Information,
};

/** A doctor's report and when it was made (milliseconds since the epoch). */
export interface DatedReport {
  readonly report: DoctorReport;
  readonly at: number;
}

function diagnosticOf({ line, message, severity, rule, why, fix }: Finding): vscode.Diagnostic {
  const range = new vscode.Range(Math.max(0, line - 1), 0, Math.max(0, line - 1), 1000);
  const text = [message, why, fix].filter(Boolean).join('\n');
  const diagnostic = new vscode.Diagnostic(range, text, severities[severity]);
  diagnostic.source = 'submission';
  diagnostic.code = rule;
  return diagnostic;
}

/** The doctor's last report of each submission, shown in the Problems view too. */
export class Reports extends Disposable {
  readonly #reports = new Map<string, DatedReport>();
  readonly #changed = this.register(new vscode.EventEmitter<void>());
  readonly #diagnostics = this.register(vscode.languages.createDiagnosticCollection('submission'));

  readonly onDidChange = this.#changed.event;

  of(folder: string): DatedReport | undefined {
    return this.#reports.get(folder);
  }

  set(folder: string, report: DoctorReport): void {
    this.#reports.set(folder, { report, at: Date.now() });
    this.#publish();
    this.#changed.fire();
  }

  #publish(): void {
    const byFile = new Map<string, vscode.Diagnostic[]>();
    for (const [folder, { report }] of this.#reports) {
      for (const finding of report.findings) {
        const path = join(folder, finding.file);
        byFile.set(path, [...(byFile.get(path) ?? []), diagnosticOf(finding)]);
      }
    }
    this.#diagnostics.clear();
    this.#diagnostics.set([...byFile].map(([path, diagnostics]) => [vscode.Uri.file(path), diagnostics]));
  }
}
