import { createHash } from 'node:crypto';
import type { Dirent } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, extname, join, relative } from 'node:path';

/** Folders in which neither recipes nor checkpoints of the submission lie. */
const passedOver = new Set(['node_modules', 'benchmark_output', '__pycache__', 'venv', 'site-packages']);
const deepest = 3;
const largestRecipe = 256 * 1024;

async function* walk(folder: string, depth = 0): AsyncGenerator<{ folder: string; entries: Dirent[] }> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  yield { folder, entries };
  if (depth === deepest) return;
  for (const entry of entries) {
    if (!entry.isDirectory() || entry.name.startsWith('.') || passedOver.has(entry.name)) continue;
    yield* walk(join(folder, entry.name), depth + 1);
  }
}

async function isRecipe(path: string): Promise<boolean> {
  const { size } = await stat(path);
  return size <= largestRecipe && /^["']?merge_method["']?\s*:/m.test(await readFile(path, 'utf8'));
}

/** Whether the files of a folder make it a checkpoint or an adapter. */
function isCheckpoint(names: readonly string[]): boolean {
  return (
    names.includes('adapter_config.json') ||
    (names.includes('config.json') && names.some((name) => name.endsWith('.safetensors')))
  );
}

/** What of a submission's folder the stages work on; absolute paths, those nearest to the root first. */
export interface FolderContents {
  readonly recipes: readonly string[];
  readonly checkpoints: readonly string[];
}

/** Looks through a folder, three levels deep: YAML files with a `merge_method`, folders with weights. */
export async function readFolderContents(root: string): Promise<FolderContents> {
  const recipes: string[] = [];
  const checkpoints: string[] = [];
  for await (const { folder, entries } of walk(root)) {
    const names = entries.filter((entry) => entry.isFile()).map(({ name }) => name);
    // A checkpoint's own files are no recipes: mergekit leaves the recipe of a merge beside its weights.
    if (isCheckpoint(names)) {
      checkpoints.push(folder);
      continue;
    }
    for (const name of names) {
      const path = join(folder, name);
      if (/\.ya?ml$/i.test(extname(name)) && (await isRecipe(path).catch(() => false))) recipes.push(path);
    }
  }
  const depth = (path: string) => relative(root, path).split(/[\\/]/).length;
  const nearest = (a: string, b: string) => depth(a) - depth(b) || a.localeCompare(b);
  return { recipes: recipes.sort(nearest), checkpoints: checkpoints.sort(nearest) };
}

/** SHA-256 of a file in hexadecimal; undefined when it cannot be read. */
export async function sha256Of(path: string): Promise<string | undefined> {
  const content = await readFile(path).catch(() => undefined);
  return content === undefined ? undefined : createHash('sha256').update(content).digest('hex');
}

export async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** Where a recipe's merge goes: `recipe.yml` to out/merged, `recipes/ties-0.5.yml` to out/ties-0.5. */
export function mergeOutput(folder: string, recipe: string): string {
  const name = basename(recipe).replace(/\.ya?ml$/i, '');
  return join(folder, 'out', name === 'recipe' ? 'merged' : name);
}
