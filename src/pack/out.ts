import { lstat, readdir, realpath } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, sep } from 'node:path';
import { fromSystemError, UserError } from '../base/index.ts';
import type { PackageForm } from './types.ts';

interface Destination {
  readonly folder: string;
  readonly out: string;
  /** The packages that the submission's record names, absolute. */
  readonly earlier: readonly string[];
  readonly form: PackageForm;
  /** Whether the user named `out`; else it is the default name. */
  readonly chosen: boolean;
}

/** The real path, also of what does not exist yet: a link must not hide that two paths are one. */
async function realOf(path: string): Promise<string> {
  const real = await realpath(path).catch(() => undefined);
  if (real !== undefined || dirname(path) === path) return real ?? path;
  return join(await realOf(dirname(path)), basename(path));
}

/** Whether `path` is `folder` or lies in it. */
function holds(folder: string, path: string): boolean {
  const short = relative(folder, path);
  return short !== '..' && !short.startsWith(`..${sep}`) && !isAbsolute(short);
}

const refused = (message: string, file: string, remedy: string) =>
  new UserError(message, { kind: 'usage', place: { file }, remedy });

/**
 * Refuses a place whose content pack did not write, before anything is written: a folder is replaced with all that is
 * in it. A file that the user names is replaced, as with any tool's output; one that only has the default name is not.
 */
export async function checkOut({ folder, out, earlier, form, chosen }: Destination): Promise<void> {
  if (holds(await realOf(out), await realOf(folder))) {
    throw refused(
      'The package would replace the submission itself',
      out,
      'Name a place with --out that is neither the submission nor a folder around it.',
    );
  }
  const present = await lstat(out).catch(() => undefined);
  if (present === undefined) return;
  const isFolder = present.isDirectory();
  if (isFolder !== (form === 'folder') && (isFolder || !earlier.includes(out))) {
    throw refused(
      isFolder ? 'A folder is where the archive would be' : 'A file is where the folder would be',
      out,
      'Remove it, or name another place with --out.',
    );
  }
  if (earlier.includes(out) || (!isFolder && chosen)) return;
  if (!isFolder) {
    throw refused(
      'The file is no earlier package of this submission and is not replaced',
      out,
      'Rename or remove it, or name with --out what to write.',
    );
  }
  const content = await readdir(out).catch((error: unknown) => {
    throw fromSystemError(error, 'The folder cannot be read', out);
  });
  if (content.length === 0) return;
  throw refused(
    'The folder is not empty and no earlier package of this submission',
    out,
    'Remove it, or name a new or an empty folder with --out.',
  );
}
