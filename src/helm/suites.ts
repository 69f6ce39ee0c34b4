import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, extname, resolve } from 'node:path';
import { mediaPath, UserError } from '../base/index.ts';
import { suggest } from './conf/nearest.ts';
import type { Suite } from './types.ts';

/** The suites that ship with us: conf files whose first comment line is their title. */
export async function suites(): Promise<Suite[]> {
  const folder = mediaPath('suites');
  const files = (await readdir(folder)).filter((file) => extname(file) === '.conf').sort();
  return Promise.all(
    files.map(async (file) => {
      const text = await readFile(resolve(folder, file), 'utf8');
      const title = /^#\s*(.*)$/m.exec(text)?.[1] ?? file;
      return { name: basename(file, '.conf'), title, file: resolve(folder, file) };
    }),
  );
}

/** The conf file that a suite's name or a path stands for. */
export async function findSuite(nameOrFile: string): Promise<Omit<Suite, 'title'>> {
  const all = await suites();
  const known = all.find(({ name }) => name === nameOrFile);
  if (known) return known;
  const file = resolve(nameOrFile);
  const found = await stat(file).catch(() => undefined);
  if (found?.isFile()) return { name: basename(file, extname(file)), file };
  throw new UserError(`There is no suite and no conf file "${nameOrFile}"`, {
    place: { field: 'suite' },
    remedy: suggest(
      nameOrFile,
      all.map(({ name }) => name),
    ),
  });
}
