import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { fromSystemError, throwIfCancelled, UserError } from '../base/index.ts';
import {
  defaultTrack,
  detectSubmission,
  loadTracks,
  type SubmissionKind,
  type Track,
} from '../submission/index.ts';
import { DoctorContext } from './context.ts';
import type { Rule } from './rule.ts';
import { doctorRules } from './rules/index.ts';
import { folderSource, type SubmissionSource } from './source.ts';
import type { DoctorReport, Finding, Severity } from './types.ts';

export interface DoctorOptions {
  /** Its limits and its kind; what the folder shows unless told. */
  readonly track?: Track;
  readonly kind?: SubmissionKind;
  readonly signal?: AbortSignal;
}

const order: Readonly<Record<Severity, number>> = { error: 0, warning: 1, info: 2 };

function compare(a: Finding, b: Finding): number {
  if (a.severity !== b.severity) return order[a.severity] - order[b.severity];
  if (a.file !== b.file) return a.file < b.file ? -1 : 1;
  return a.line - b.line || (a.rule < b.rule ? -1 : 1);
}

async function findingsOf(rule: Rule, context: DoctorContext): Promise<Finding[]> {
  return (await rule.check(context)).map(({ file, line = 1, message, fix, severity }) => ({
    rule: rule.id,
    severity: severity ?? rule.severity,
    file,
    line,
    message,
    why: `${rule.why} (${rule.source})`,
    fix: fix ?? rule.fix,
  }));
}

/** The track whose rules count: the one that is asked for, else what the folder itself shows. */
async function trackOf(folder: string, { track, kind }: DoctorOptions): Promise<Track> {
  if (track && (kind === undefined || kind === track.kind)) return track;
  const tracks = await loadTracks({ folder });
  if (kind) return defaultTrack(tracks, kind);
  // The folder is checked as it is given, also when what shows its kind lies deeper.
  return (await detectSubmission(folder, tracks)).track;
}

/** Checks what a source holds, as a submission of a kind to a track. */
export async function checkSource(
  source: SubmissionSource,
  track: Track,
  signal?: AbortSignal,
): Promise<DoctorReport> {
  const { kind } = track;
  const context = new DoctorContext({ source, kind, track });
  try {
    const findings: Finding[] = [];
    for (const rule of doctorRules) {
      throwIfCancelled(signal, 'The check');
      if (rule.kinds.includes(kind)) findings.push(...(await findingsOf(rule, context)));
    }
    findings.sort(compare);
    const count = (severity: Severity) => findings.filter((finding) => finding.severity === severity).length;
    return { findings, summary: { error: count('error'), warning: count('warning'), info: count('info') } };
  } finally {
    await context.dispose();
  }
}

/**
 * Reads a submission and says what would make it fail, leak or be disqualified. Nothing of it is run. Findings are
 * sorted: errors first, then by file and line. Throws a usage error for a folder that is no submission.
 */
export async function runDoctor(path: string, options: DoctorOptions = {}): Promise<DoctorReport> {
  const folder = resolve(path);
  const info = await stat(folder).catch((error: unknown) => {
    throw fromSystemError(error, 'The folder cannot be read', folder);
  });
  if (!info.isDirectory()) throw new UserError('A file is no submission', { place: { file: folder } });
  const track = await trackOf(folder, options);
  return checkSource(await folderSource(folder, options.signal), track, options.signal);
}
