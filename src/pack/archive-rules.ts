import { posix } from 'node:path';
import type { Finding } from '../doctor/index.ts';
import type { Track } from '../submission/index.ts';
import type { Archive, ArchiveEntry } from './read.ts';

/** What an archive must hold to, besides what the doctor says of its content. */
const rules = {
  'package-unsafe-path': {
    severity: 'error',
    why: 'Whoever unpacks the archive would write outside of the folder meant for it.',
    fix: 'Pack the submission again.',
  },
  'package-link-outside': {
    severity: 'error',
    why: 'The link leads to something that is not in the archive.',
    fix: 'Put the file itself in the place of the link.',
  },
  'package-duplicate-entry': {
    severity: 'error',
    why: 'Which of the two is unpacked depends on the program that unpacks.',
    fix: 'Pack the submission again.',
  },
  'package-case-clash': {
    severity: 'warning',
    why: 'On systems that do not tell them apart only one of the two is unpacked.',
    fix: 'Rename one of them.',
  },
  'package-special-file': {
    severity: 'error',
    why: 'Devices and pipes are no part of a submission.',
    fix: 'Leave it out.',
  },
  'package-empty': {
    severity: 'error',
    why: 'The organizers would receive nothing.',
    fix: 'Check what was left out, and why.',
  },
  'merge-root-renamed': {
    severity: 'error',
    why: 'The organizers ask that the root folder of the archive keeps its name; another one can break the evaluation. (https://github.com/llm-merging/LLM-Merging)',
    fix: 'Pack the submission with this command, which gives the root its right name.',
  },
  'package-one-dockerfile': {
    severity: 'error',
    why: 'The leaderboard bot builds the first Dockerfile that it meets. (https://llm-efficiency-challenge.github.io/leaderboard)',
    fix: 'Leave the other Dockerfiles out.',
  },
  'package-altered': {
    severity: 'error',
    why: 'The archive must hold what the submission holds.',
    fix: 'Pack the submission again; when it happens twice, check the disk.',
  },
} as const;

export type ArchiveRule = keyof typeof rules;

/** A finding about an archive. */
export function archiveFinding(rule: ArchiveRule, file: string, message: string): Finding {
  const { severity, why, fix } = rules[rule];
  return { rule, severity, file, line: 1, message, why, fix };
}

const normal = (path: string) => path.replaceAll('\\', '/').replace(/\/+$/, '');

const leadsOut = (path: string) =>
  path.startsWith('/') || /^[A-Za-z]:/.test(path) || path.split('/').includes('..') || path.includes('\0');

function* linkFindings(entry: ArchiveEntry): Generator<Finding> {
  if (entry.target === undefined || (entry.kind !== 'link' && entry.kind !== 'hard link')) return;
  const target = entry.target.replaceAll('\\', '/');
  // A hard link names its target from the top of the archive, a symbolic one from where it lies.
  const base = entry.kind === 'link' ? posix.dirname(normal(entry.path)) : '';
  const resolved = posix.normalize(posix.join(base, target));
  if (
    target.startsWith('/') ||
    /^[A-Za-z]:/.test(target) ||
    resolved === '..' ||
    resolved.startsWith('../')
  ) {
    yield archiveFinding('package-link-outside', entry.path, `The link leads to ${entry.target}.`);
  }
}

/** Findings on the names and kinds of an archive's entries. */
export function* entryFindings({ entries }: Archive): Generator<Finding> {
  const seen = new Map<string, string>();
  if (!entries.some(({ kind }) => kind === 'file')) {
    yield archiveFinding('package-empty', '.', 'The archive holds no file.');
  }
  for (const entry of entries) {
    const path = normal(entry.path);
    if (leadsOut(path)) {
      yield archiveFinding(
        'package-unsafe-path',
        entry.path,
        `The path ${JSON.stringify(entry.path)} leads out of the archive.`,
      );
    }
    if (entry.kind === 'other') {
      yield archiveFinding('package-special-file', entry.path, 'This is no file, folder or link.');
    }
    yield* linkFindings(entry);
    const known = seen.get(path.toLowerCase());
    if (known === path && entry.kind !== 'folder') {
      yield archiveFinding('package-duplicate-entry', entry.path, 'The archive holds this path twice.');
    } else if (known !== undefined && known !== path) {
      yield archiveFinding(
        'package-case-clash',
        entry.path,
        `It differs from ${known} only in upper and lower case.`,
      );
    }
    seen.set(path.toLowerCase(), path);
  }
}

/** The one folder that holds everything; undefined when there are several, or files beside it. */
export function rootOf({ entries }: Archive): string | undefined {
  const tops = new Set(entries.map(({ path }) => normal(path).replace(/^\.\//, '').split('/')[0] ?? ''));
  tops.delete('.');
  const [root, other] = tops;
  if (root === undefined || root === '' || other !== undefined) return undefined;
  return entries.every(({ path, kind }) => kind === 'folder' || path.includes('/')) ? root : undefined;
}

/** Findings on what the track's organizers want of an archive's form. */
export function* trackFindings(archive: Archive, track: Track): Generator<Finding> {
  const root = rootOf(archive);
  const wanted = track.package.root;
  if (wanted !== undefined && root !== wanted) {
    const what = root === undefined ? 'no root folder that holds everything' : `the root folder ${root}`;
    yield archiveFinding('merge-root-renamed', '.', `The archive has ${what}; it must be ${wanted}.`);
  }
  if (track.kind !== 'efficiency') return;
  const dockerfiles = archive.entries.filter(
    ({ path, kind }) => kind === 'file' && posix.basename(path) === 'Dockerfile',
  );
  if (dockerfiles.length !== 1) {
    const listed =
      dockerfiles.length === 0
        ? 'no Dockerfile'
        : `${dockerfiles.length} Dockerfiles: ${dockerfiles.map(({ path }) => path).join(', ')}`;
    yield archiveFinding('package-one-dockerfile', '.', `The archive holds ${listed}.`);
  }
}
