import { doctorRules } from './rules/index.ts';
import type { DoctorReport, Severity } from './types.ts';

const levels: Readonly<Record<Severity, string>> = { error: 'error', warning: 'warning', info: 'note' };

/** A report as SARIF 2.1.0, the form that CI services show beside the code. */
export function toSarif(report: DoctorReport): unknown {
  const used = doctorRules.filter(({ id }) => report.findings.some(({ rule }) => rule === id));
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'Submission Studio doctor',
            rules: used.map(({ id, title, why, fix, severity, source }) => ({
              id,
              shortDescription: { text: title },
              fullDescription: { text: why },
              help: { text: fix },
              helpUri: source,
              defaultConfiguration: { level: levels[severity] },
            })),
          },
        },
        results: report.findings.map(({ rule, severity, file, line, message }) => ({
          ruleId: rule,
          ruleIndex: used.findIndex(({ id }) => id === rule),
          level: levels[severity],
          message: { text: message },
          locations: [
            {
              physicalLocation: {
                artifactLocation: {
                  uri: file === '.' ? '.' : file.split('/').map(encodeURIComponent).join('/'),
                },
                region: { startLine: line },
              },
            },
          ],
        })),
      },
    ],
  };
}
