import { readdir, realpath, stat, statfs } from 'node:fs/promises';
import { basename, dirname, isAbsolute, relative, resolve, sep } from 'node:path';
import { formatBytes, fromSystemError, UserError } from '../base/index.ts';
import { isCheckpointFile } from '../checkpoint/index.ts';

/** What a merge writes beside the checkpoint itself; a folder with the recipe in it is a merge's result. */
export const recipeCopy = 'mergekit_config.yml';
const ownFiles: ReadonlySet<string> = new Set([recipeCopy, 'README.md']);

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

function contains(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

/**
 * Checks that a merge may write to `out`: it is new, empty, or the result of an earlier merge with nothing else in
 * it, and no model or recipe that the merge reads lies inside. Throws a usage error otherwise.
 * @returns the folder to write, links resolved
 */
export async function checkTarget(
  out: string,
  models: readonly string[],
  recipeFile: string,
): Promise<string> {
  if (!(await exists(out))) return resolve(out);
  const folder = await realpath(out);
  const refuse = (why: string) =>
    new UserError(`The merge cannot write here: ${why}`, {
      place: { file: out },
      remedy: 'Choose another folder for the result.',
    });
  if (!(await stat(folder)).isDirectory()) throw refuse('it is a file, not a folder');
  for (const model of models) {
    if (contains(folder, await realpath(model))) throw refuse(`it holds the model ${model}, which is merged`);
  }
  const names = await readdir(folder);
  if (names.length === 0) return folder;
  const other = names.find((name) => !ownFiles.has(name) && !isCheckpointFile(name));
  if (!names.includes(recipeCopy) || other !== undefined) {
    throw refuse(
      other === undefined
        ? 'it holds a model that was not made by a merge'
        : `it holds ${other}, which the result of a merge does not`,
    );
  }
  const recipe = await realpath(recipeFile).catch(() => resolve(recipeFile));
  if (contains(folder, recipe) && basename(recipe) !== recipeCopy) throw refuse('it holds the recipe');
  return folder;
}

/** Bytes free for `out`, on the disk of its nearest existing parent. */
export async function freeSpace(out: string): Promise<number> {
  let folder = resolve(out);
  while (!(await exists(folder)) && dirname(folder) !== folder) folder = dirname(folder);
  try {
    const { blocks, bavail, bsize } = await statfs(folder);
    // Some network file systems do not tell: then only writing shows whether there is room.
    return blocks === 0 ? Number.MAX_SAFE_INTEGER : bavail * bsize;
  } catch (error) {
    throw fromSystemError(error, 'The disk of the result cannot be examined', folder);
  }
}

/** The error for a disk that cannot hold the result. */
export function diskTooSmall(out: string, needed: number, free: number): UserError {
  return new UserError(
    `The disk is too full for the result: it takes ${formatBytes(needed)}, ${formatBytes(free)} are free`,
    {
      kind: 'work',
      place: { file: out },
      remedy: 'Free some space or choose another disk, then run it again.',
    },
  );
}
