import { basename, posix } from 'node:path';
import { checkSource, type Finding, type SubmissionEntry, type SubmissionSource } from '../doctor/index.ts';
import { defaultTrack, loadTracks, type Track } from '../submission/index.ts';
import { archiveFinding, entryFindings, rootOf, trackFindings } from './archive-rules.ts';
import { type Archive, type ArchiveEntry, readArchive } from './read.ts';
import type { Verification } from './types.ts';

const clean = (path: string) => posix.normalize(path.replaceAll('\\', '/')).replace(/\/+$/, '');

/** The content of an archive as the doctor reads it, without the root folder. */
export function archiveSource(archive: Archive, fallbackName: string): SubmissionSource {
  const root = rootOf(archive);
  const inside = (path: string) => (root === undefined ? clean(path) : clean(path).slice(root.length + 1));
  const files = new Map<string, ArchiveEntry>();
  const entries = new Map<string, SubmissionEntry>();
  for (const entry of archive.entries) {
    const path = inside(entry.path);
    if (path === '' || path === '.' || path.startsWith('../') || path.startsWith('/')) continue;
    for (let at = posix.dirname(path); at !== '.'; at = posix.dirname(at)) {
      entries.set(at, { path: at, kind: 'folder', size: 0 });
    }
    const kind = entry.kind === 'hard link' ? 'file' : entry.kind;
    entries.set(path, { path, kind, size: entry.bytes });
    files.set(path, entry);
  }
  const read = async (path: string, hops = 0): Promise<Uint8Array | undefined> => {
    const entry = files.get(path);
    if (entry?.target === undefined || hops > 8) return entry?.content;
    const target =
      entry.kind === 'hard link'
        ? inside(entry.target)
        : clean(posix.join(posix.dirname(path), entry.target));
    return read(target, hops + 1);
  };
  return {
    name: root ?? fallbackName,
    entries: [...entries.values()].sort((a, b) => (a.path < b.path ? -1 : 1)),
    read: (path) => read(path),
  };
}

/** Which competition an archive is for, by what it holds; a tar without a Dockerfile is a merging kit's. */
async function guessTrack(archive: Archive): Promise<Track> {
  const tracks = await loadTracks();
  const has = (pattern: RegExp) => archive.entries.some(({ path }) => pattern.test(clean(path)));
  const merging = has(/(^|\/)llm_merging\//) || (archive.form === 'tar' && !has(/(^|\/)dockerfile[^/]*$/i));
  return defaultTrack(tracks, merging ? 'merging' : 'efficiency');
}

export interface VerifyOptions {
  /** What the content shows unless told. */
  readonly track?: Track;
  readonly signal?: AbortSignal;
  /** SHA-256 of every file by its path in the archive, when it is known what must be there. */
  readonly expected?: ReadonlyMap<string, string>;
}

function* differences(archive: Archive, expected: ReadonlyMap<string, string>): Generator<Finding> {
  const found = new Map(
    archive.entries.filter(({ kind }) => kind === 'file').map(({ path, sha256 }) => [path, sha256]),
  );
  for (const [path, hash] of expected) {
    if (found.get(path) === hash) continue;
    yield archiveFinding(
      'package-altered',
      path,
      found.has(path)
        ? 'The archive holds other bytes than the submission.'
        : 'The file is not in the archive.',
    );
  }
  for (const path of found.keys()) {
    if (!expected.has(path))
      yield archiveFinding('package-altered', path, 'The archive holds a file that was not packed.');
  }
}

/**
 * Reads an archive, anyone's, without unpacking it: its entries and their hashes, whether names and links stay inside,
 * whether its form is the track's, and what the doctor says of its content. Throws a usage error for what is no archive,
 * and for one that is damaged.
 */
export async function verifyPackage(file: string, options: VerifyOptions = {}): Promise<Verification> {
  const archive = await readArchive(file);
  const track = options.track ?? (await guessTrack(archive));
  const source = archiveSource(archive, basename(file).replace(/\.(tar|tar\.gz|tgz|zip)$/, ''));
  const report = await checkSource(source, track, options.signal);
  const findings = [
    ...entryFindings(archive),
    ...trackFindings(archive, track),
    ...(options.expected ? differences(archive, options.expected) : []),
    // The archive has its own word on the root.
    ...report.findings.filter(({ rule }) => rule !== 'merge-root-renamed'),
  ];
  return {
    fit: !findings.some(({ severity }) => severity === 'error'),
    root: rootOf(archive) ?? null,
    entries: archive.entries
      .filter(({ kind }) => kind !== 'folder')
      .map(({ path, bytes, sha256 }) => ({ path, bytes, ...(sha256 ? { sha256 } : {}) })),
    findings,
  };
}
