import { lstat, readlink, stat } from 'node:fs/promises';
import { isAbsolute, join, posix } from 'node:path';
import { fromSystemError, UserError, type WorkOptions, walkTree } from '../base/index.ts';
import type { Track } from '../submission/index.ts';
import { LeaveOut } from './leave-out.ts';
import type { LeftOut, PackageForm } from './types.ts';

/** A file, folder or link that goes into the package. */
export interface Selected {
  /** Relative to the submission's folder, with `/`. */
  readonly path: string;
  readonly kind: 'file' | 'folder' | 'link';
  readonly bytes: number;
  readonly executable: boolean;
  /** What a link leads to, as it is written. */
  readonly target?: string;
}

export interface Selection {
  /** Sorted by path. */
  readonly selected: readonly Selected[];
  readonly leftOut: readonly LeftOut[];
}

const badName = (path: string, why: string, remedy: string) =>
  new UserError(`The submission cannot be packed: ${why}`, {
    place: { file: JSON.stringify(path).slice(1, -1) },
    remedy,
  });

/** A link's target; a usage error when it leads out of the submission. */
async function linkTarget(folder: string, path: string): Promise<string> {
  const target = (await readlink(join(folder, path))).replaceAll('\\', '/');
  const resolved = posix.normalize(posix.join(posix.dirname(path), target));
  if (isAbsolute(target) || resolved === '..' || resolved.startsWith('../')) {
    throw badName(
      path,
      `the link leads out of the submission, to ${target}`,
      'Put the file itself in its place.',
    );
  }
  return target;
}

/** Folders that are an environment of Python, by the marker that lies in them. */
function isEnvironment(folder: string, path: string): Promise<boolean> {
  return stat(join(folder, path, 'pyvenv.cfg')).then(
    () => true,
    () => false,
  );
}

/**
 * Chooses what goes into the package, and says of the rest why it stays. Nothing is written.
 * @param own paths, relative to the folder, of packages that lie in it
 */
export async function select(
  folder: string,
  track: Track,
  own: readonly string[],
  { form = track.package.form, signal }: WorkOptions & { form?: PackageForm } = {},
): Promise<Selection> {
  const hasDockerfile = await stat(join(folder, 'Dockerfile')).then(
    (info) => info.isFile(),
    () => false,
  );
  const leaveOut = new LeaveOut(folder, track, own, hasDockerfile && form !== 'folder');
  const leftOut: LeftOut[] = [];
  const selected: Selected[] = [];
  const left = new Set<string>();
  const skip = (path: string) => left.has(path);
  // The walk asks `skip` after it has yielded the folder, so what is decided here holds there.
  for await (const { path, kind, undecodable } of walkTree(folder, { skip, ...(signal ? { signal } : {}) })) {
    if (undecodable) throw badName(path, 'a name is not UTF-8', 'Rename it.');
    const isFolder = kind === 'folder';
    const why =
      kind === 'other'
        ? 'no file'
        : await leaveOut.reason(
            isFolder ? `${path}/` : path,
            isFolder && (await isEnvironment(folder, path)),
          );
    if (why !== undefined) {
      left.add(path);
      leftOut.push({ path: isFolder ? `${path}/` : path, why });
      continue;
    }
    if (isFolder) {
      selected.push({ path, kind, bytes: 0, executable: false });
      continue;
    }
    const info = await lstat(join(folder, path)).catch((error: unknown) => {
      throw fromSystemError(error, 'The file cannot be read', join(folder, path));
    });
    const executable = process.platform !== 'win32' && (info.mode & 0o100) !== 0;
    if (kind === 'link') {
      const target = await linkTarget(folder, path);
      selected.push({ path, kind, bytes: 0, executable: false, target });
    } else selected.push({ path, kind: 'file', bytes: info.size, executable });
  }
  return { selected: withoutEmptyFolders(selected), leftOut };
}

/** Empty folders stay out: version control does not know them either. */
function withoutEmptyFolders(selected: readonly Selected[]): Selected[] {
  const used = new Set<string>();
  for (const { path, kind } of selected) {
    if (kind === 'folder') continue;
    for (let at = posix.dirname(path); at !== '.'; at = posix.dirname(at)) used.add(at);
  }
  return selected
    .filter(({ path, kind }) => kind !== 'folder' || used.has(path))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}
