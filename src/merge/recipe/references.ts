import { stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { type Recipe, recipeError } from './parse.ts';
import type { FieldPath, ModelReference } from './schema.ts';

/** A model of a recipe, found on the disk. */
export interface LocalModel {
  /** As the recipe names it. */
  readonly name: string;
  /** Absolute path. */
  readonly folder: string;
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (info) => info.isDirectory(),
    () => false,
  );
}

async function firstFolder(recipe: Recipe, path: string): Promise<string | undefined> {
  for (const start of [dirname(recipe.file), process.cwd()]) {
    const folder = resolve(start, path);
    if (await isFolder(folder)) return folder;
  }
  return undefined;
}

/** The folder of a model reference: beside the recipe, then in the working directory. Nothing is downloaded. */
export async function findModel(
  recipe: Recipe,
  reference: ModelReference,
  field: FieldPath,
): Promise<LocalModel> {
  const map = typeof reference === 'string' ? { model: reference } : reference;
  const refuse = (what: string, remedy: string) =>
    recipeError(recipe, field, `${what} cannot be used in a merge yet`, remedy);
  if (map.lora) {
    throw refuse('an adapter (lora)', 'Merge the adapter into its base first and name the resulting folder.');
  }
  if (map.override_architecture) {
    throw refuse('override_architecture', 'Edit the architectures in the config.json of the model.');
  }
  const name = typeof map.model === 'string' ? map.model : map.model.path;
  const folder = await firstFolder(recipe, name);
  if (folder !== undefined) return { name, folder };
  if (name.includes('+') && (await firstFolder(recipe, name.slice(0, name.lastIndexOf('+')))) !== undefined) {
    throw refuse(
      'an adapter (model+lora)',
      'Merge the adapter into its base first and name the resulting folder.',
    );
  }
  throw recipeError(
    recipe,
    field,
    `there is no folder "${name}" beside the recipe or in ${process.cwd()}`,
    'Give the path of a checkpoint on this machine; a merge downloads nothing.',
  );
}
