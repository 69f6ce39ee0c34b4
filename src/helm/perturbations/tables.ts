import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { parseWith, UserError } from '../../base/index.ts';

/** The word lists that HELM's canonical perturbations take words from. */
export interface PerturbationTables {
  /** Correct word to its misspellings. */
  readonly misspellings: ReadonlyMap<string, readonly string[]>;
  /** Word of standard American English to its forms in African American English. */
  readonly dialect: ReadonlyMap<string, readonly string[]>;
  /** First names with their categories, one `name,first_name,category,value,…` a line. */
  readonly names: readonly string[];
}

const files = {
  misspellings: 'correct_to_misspelling.json',
  dialect: 'SAE_to_AAVE_mapping.json',
  names: 'person_names.txt',
} as const;

const source = 'https://storage.googleapis.com/crfm-helm-public/source_datasets/augmentations/';

/** Where a list may lie: below the data, beside it (as HELM's own folder does), or in an installed crfm-helm. */
async function folders(data: string): Promise<string[]> {
  const roots = [join(data, 'perturbations'), join(data, '..', 'perturbations'), data];
  const parts = ['', 'dialect', 'person_name', 'person_name/data', 'misspellings', 'mild_mix'];
  const own = roots.flatMap((root) => parts.map((part) => join(root, part)));
  const environments = [process.env.VIRTUAL_ENV, process.env.CONDA_PREFIX].filter(
    (path) => path !== undefined,
  );
  const installed = await Promise.all(environments.map(helmFolders));
  return [...own, ...installed.flat()];
}

/** The folder of crfm-helm's word lists in a Python environment, whatever its version and platform. */
async function helmFolders(environment: string): Promise<string[]> {
  const part = join('site-packages', 'helm', 'benchmark', 'augmentations');
  const versions = await readdir(join(environment, 'lib')).catch(() => []);
  const unix = versions
    .filter((name) => name.startsWith('python'))
    .map((name) => join(environment, 'lib', name, part));
  return [...unix, join(environment, 'Lib', part)];
}

async function find(
  name: string,
  places: readonly string[],
): Promise<{ file: string; text: string } | undefined> {
  for (const place of places) {
    const file = join(place, name);
    const text = await readFile(file, 'utf8').catch(() => undefined);
    if (text !== undefined) return { file, text };
  }
  return undefined;
}

const tableSchema = z.record(z.string(), z.array(z.string()).min(1));

function table({ file, text }: { file: string; text: string }): ReadonlyMap<string, readonly string[]> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new UserError('The word list is no JSON', { place: { file }, cause });
  }
  return new Map(Object.entries(parseWith(tableSchema, value, 'The word list', { file })));
}

/** Reads the word lists; a usage error names those that are missing. Nothing is made up in their place. */
export async function readTables(data: string): Promise<PerturbationTables> {
  const places = await folders(data);
  const [misspellings, dialect, names] = await Promise.all([
    find(files.misspellings, places),
    find(files.dialect, places),
    find(files.names, places),
  ]);
  if (misspellings && dialect && names) {
    return { misspellings: table(misspellings), dialect: table(dialect), names: names.text.split(/\r?\n/) };
  }
  const missing = [
    misspellings ? undefined : files.misspellings,
    dialect ? undefined : files.dialect,
    names ? undefined : files.names,
  ].filter((name) => name !== undefined);
  throw new UserError(`data_augmentation needs word lists that are not there: ${missing.join(', ')}`, {
    place: { file: join(data, 'perturbations') },
    remedy: `Put them into this folder (from ${source} and an installed crfm-helm), or take data_augmentation out of the entry.`,
  });
}
