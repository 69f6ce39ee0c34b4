import { posix } from 'node:path';
import type { DoctorContext } from './context.ts';
import type { Image } from './image.ts';
import type { PythonImport, PythonModule } from './parsers/python.ts';
import type { Served } from './served.ts';

/** The served module and every local module that it imports, itself first. */
export async function servedModules(context: DoctorContext, served: Served): Promise<PythonModule[]> {
  const image = await context.image();
  if (served.module === undefined || image === undefined) return [];
  const seen = new Set<string>();
  const found: PythonModule[] = [];
  const queue = [served.module];
  while (queue.length > 0) {
    const path = queue.shift() as string;
    if (seen.has(path)) continue;
    seen.add(path);
    const module = await context.python(path);
    if (module === undefined) continue;
    found.push(module);
    for (const one of module.imports) queue.push(...localFiles(context, image, served, module, one));
  }
  return found;
}

/** Where a module's file would lie, from a folder: `a/b.py`, `a/b/__init__.py`. */
const candidates = (root: string, dotted: string) => {
  const path = posix.join(root, dotted.replaceAll('.', '/'));
  return dotted === '' ? [posix.join(root, '__init__.py')] : [`${path}.py`, `${path}/__init__.py`];
};

/** Files of the submission that an import may load: the module, and submodules that are named. */
export function localFiles(
  context: DoctorContext,
  image: Image | undefined,
  served: Served | undefined,
  module: PythonModule,
  one: PythonImport,
): string[] {
  const here = posix.dirname(module.file) === '.' ? '' : posix.dirname(module.file);
  const names = [
    one.module,
    ...(one.names ?? []).map(({ name }) => (one.module === '' ? name : `${one.module}.${name}`)),
  ];
  const files = new Set<string>();
  const add = (path: string) => {
    if (context.isFile(path)) files.add(path);
  };
  if (one.level > 0) {
    let root = here;
    for (let up = 1; up < one.level; up++) root = posix.dirname(root) === '.' ? '' : posix.dirname(root);
    for (const name of names) for (const path of candidates(root, name)) add(path);
    return [...files];
  }
  for (const name of names.filter((text) => text !== '')) {
    if (image && served) {
      for (const path of candidates(served.importRoot, name)) {
        const located = image.locate(path);
        if (located.from === 'context') add(located.path);
      }
    }
    if (files.size > 0) continue;
    for (const root of [here, '']) for (const path of candidates(root, name)) add(path);
  }
  return [...files];
}
