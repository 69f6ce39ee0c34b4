import { readFile, rm, stat, statfs } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { formatBytes, fromSystemError, plural, throwIfCancelled, UserError } from '../base/index.ts';
import { checkSource, type Finding, mergingMethods, type SubmissionSource } from '../doctor/index.ts';
import {
  detectSubmission,
  readRecord,
  readSubmissionFile,
  type Track,
  updateRecord,
} from '../submission/index.ts';
import { checkOut } from './out.ts';
import { type Selected, select } from './select.ts';
import type { Package, PackageForm, PackOptions } from './types.ts';
import { verifyPackage } from './verify.ts';
import { type Written, writeFolder, writeTar, writeZip } from './write.ts';

/** The method's name when there is one, else the submission's: what the archive is called. */
async function packageName(folder: string, track: Track, name: string): Promise<string> {
  const methods = track.kind === 'merging' ? await mergingMethods(folder) : [];
  const chosen = methods.length === 1 ? methods[0]?.name : undefined;
  return (chosen ?? name).replace(/[^\w.-]+/g, '-').replace(/^[.-]+|-+$/g, '') || 'submission';
}

const suffixes: Readonly<Record<PackageForm, string>> = { tar: '.tar', zip: '.zip', folder: '-package' };

/** A path relative to the folder, with `/`; undefined when it lies elsewhere. */
function inside(folder: string, path: string): string | undefined {
  const short = relative(folder, path);
  return short === '' || short.startsWith('..') || isAbsolute(short) ? undefined : short.split(sep).join('/');
}

/** What the doctor reads: only what is packed. */
function selectedSource(folder: string, name: string, selected: readonly Selected[]): SubmissionSource {
  return {
    name,
    entries: selected.map(({ path, kind, bytes }) => ({ path, kind, size: bytes })),
    read: (path) => readFile(join(folder, path)).catch(() => undefined),
  };
}

const place = ({ file, line }: Finding) => `${file}:${line}`;

/** Errors end themselves with a full stop where it is needed. */
const withoutEnd = (message: string) => message.replace(/\.$/, '');

/** Errors stop a package unless it is forced; a secret stops it always. */
function refuse(findings: readonly Finding[], force: boolean): void {
  const secrets = findings.filter(({ rule, severity }) => rule.startsWith('secret-') && severity === 'error');
  const [secret] = secrets;
  if (secret) {
    throw new UserError(
      `The package would hold ${plural(secrets.length, 'secret')}: ${secrets.map(place).join(', ')}`,
      {
        kind: 'unfit',
        place: { file: secret.file, line: secret.line },
        remedy: secret.fix ?? 'Remove it and revoke it.',
      },
    );
  }
  const errors = findings.filter(({ severity }) => severity === 'error');
  const [error] = errors;
  if (force || error === undefined) return;
  throw new UserError(
    `The submission is not fit to send (${plural(errors.length, 'error')}): ${errors.map((one) => `${place(one)} ${withoutEnd(one.message)}`).join('; ')}`,
    {
      kind: 'unfit',
      place: { file: error.file, line: error.line },
      remedy: 'Correct it, or pack all the same with --force.',
    },
  );
}

async function checkDisk(out: string, bytes: number): Promise<void> {
  let folder = dirname(out);
  while (!(await stat(folder).catch(() => undefined)) && dirname(folder) !== folder) folder = dirname(folder);
  const disk = await statfs(folder).catch(() => undefined);
  const free = disk ? disk.bavail * disk.bsize : Number.POSITIVE_INFINITY;
  if (free >= bytes) return;
  throw new UserError(`The package takes ${formatBytes(bytes)} and the disk has ${formatBytes(free)} left`, {
    kind: 'work',
    place: { file: out },
    remedy: 'Free some space or choose another disk, then run it again.',
  });
}

const writers: Readonly<Record<PackageForm, (job: Parameters<typeof writeTar>[0]) => Promise<Written>>> = {
  tar: writeTar,
  zip: writeZip,
  folder: writeFolder,
};

/** Reads a package back and compares it with what was packed. A folder was written file by file and needs none. */
async function verifyWritten(
  out: string,
  form: PackageForm,
  track: Track,
  written: Written,
  force: boolean,
  signal?: AbortSignal,
) {
  if (form === 'folder') return [];
  const { findings } = await verifyPackage(out, {
    track,
    expected: written.hashes,
    ...(signal ? { signal } : {}),
  });
  const altered = findings.find(({ rule }) => rule === 'package-altered');
  if (altered === undefined) {
    refuse(findings, force);
    return findings;
  }
  throw new UserError(
    `The package does not hold what was packed: ${altered.file}, ${withoutEnd(altered.message)}`,
    {
      kind: 'work',
      place: { file: out },
      remedy: altered.fix ?? 'Pack the submission again.',
    },
  );
}

/**
 * Checks a submission, makes the package of its track, reads it back and compares. The same input gives the same bytes:
 * sorted entries, one time, no owner. Throws a usage error when the doctor finds errors (unless forced) or a secret in
 * what would be packed, and leaves nothing half-written.
 */
export async function pack(path: string, options: PackOptions = {}): Promise<Package> {
  const folder = resolve(path);
  await stat(folder).catch((error: unknown) => {
    throw fromSystemError(error, 'The folder cannot be read', folder);
  });
  const { signal, onProgress, force = false } = options;
  const track = options.track ?? (await detectSubmission(folder)).track;
  const ownName = (await readSubmissionFile(folder))?.name ?? folder.split(sep).at(-1) ?? 'submission';
  const form = options.form ?? track.package.form;
  const name = await packageName(folder, track, ownName);
  const out = resolve(options.out ?? join(folder, `${name}${suffixes[form]}`));
  const { package: last, packages = last ? [last.file] : [] } = await readRecord(folder);
  const earlier = packages.map((file) => resolve(folder, file));
  await checkOut({ folder, out, earlier, form, chosen: options.out !== undefined });
  // Only what pack wrote or is about to write: a file that merely has such a name is the user's.
  const own = [out, ...earlier].map((one) => inside(folder, one)).filter((one) => one !== undefined);
  const { selected, leftOut } = await select(folder, track, own, options);
  const { root } = track.package;
  const before = await checkSource(selectedSource(folder, root ?? ownName, selected), track, signal);
  refuse(before.findings, force);
  throwIfCancelled(signal, 'Packing');
  await checkDisk(
    out,
    selected.reduce((sum, { bytes }) => sum + bytes + 1024, 0),
  );
  const written = await writers[form]({
    folder,
    selected,
    out,
    ...(root === undefined ? {} : { root }),
    ...(signal ? { signal } : {}),
    ...(onProgress ? { onProgress } : {}),
  });
  const after = await verifyWritten(out, form, track, written, force, signal).catch(
    async (error: unknown) => {
      // An archive that was not found fit would be sent by whoever finds it.
      await rm(out, { force: true });
      throw error;
    },
  );
  const { sha256, bytes } = written;
  const file = inside(folder, out) ?? out;
  await updateRecord(folder, {
    package: { file, sha256, bytes, at: new Date().toISOString() },
    packages: [...packages.filter((one) => one !== file), file],
    // Of a submission that cannot be written to, the package lies elsewhere and stands without a record.
  }).catch(() => undefined);
  const entries = selected
    .filter(({ kind }) => kind !== 'folder')
    .map((one) => ({ path: root === undefined ? one.path : `${root}/${one.path}`, bytes: one.bytes }));
  const known = new Set(before.findings.map((one) => `${one.rule} ${place(one)}`));
  const findings = [...before.findings, ...after.filter((one) => !known.has(`${one.rule} ${place(one)}`))];
  return { file: out, sha256, bytes, entries, leftOut, findings };
}
