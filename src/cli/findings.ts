import type { Finding } from '../doctor/index.ts';

/** A finding on one line, its place first, so that terminals make a link of it. */
export function findingLine(finding: Finding): string {
  return `${finding.file}:${finding.line}: ${finding.severity} ${finding.rule}: ${finding.message}${finding.fix ? ` ${finding.fix}` : ''}`;
}
