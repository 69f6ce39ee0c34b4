import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { kitGeneration } from '../submission/index.ts';
import { type PythonModule, parsePython, stringOf } from './parsers/python.ts';
import { lineOf } from './parsers/tree-sitter.ts';

/** A merging method as `-m` takes it. */
export interface MergingMethod {
  readonly name: string;
  readonly className: string;
  /** Where it is registered, relative to the submission's folder. */
  readonly file: string;
  readonly line: number;
}

/** `name = package.module:Class`, as setuptools writes entry points. */
const entryPoint = /^\s*([\w.-]+)\s*=\s*[\w.]+\s*:\s*(\w+)\s*$/;

/** Methods in the dictionaries of main.py that map a text to a class. */
export function dictionaryMethods(main: PythonModule): MergingMethod[] {
  return main.root.descendantsOfType('pair').flatMap((pair) => {
    const name = stringOf(pair.childForFieldName('key'));
    const value = pair.childForFieldName('value');
    if (name === undefined || value?.type !== 'identifier' || !/^[A-Z]/.test(value.text)) return [];
    return [{ name, className: value.text, file: main.file, line: lineOf(pair) }];
  });
}

/** Entry points in the texts of a setup.py. */
export function entryPointMethods(setup: PythonModule): MergingMethod[] {
  return setup.root.descendantsOfType('string').flatMap((node) => {
    const match = entryPoint.exec(stringOf(node) ?? '');
    if (!match?.[1] || !match[2]) return [];
    return [{ name: match[1], className: match[2], file: setup.file, line: lineOf(node) }];
  });
}

async function readModule<T>(
  folder: string,
  file: string,
  use: (module: PythonModule) => T,
): Promise<T | undefined> {
  const text = await readFile(join(folder, file), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const module = await parsePython(file, text);
  try {
    return use(module);
  } finally {
    module.dispose();
  }
}

/** The methods that a merging submission registers, as its generation of the kit does. Nothing is run. */
export async function mergingMethods(folder: string): Promise<MergingMethod[]> {
  const main = await readModule(folder, 'llm_merging/main.py', (module) => ({
    july: kitGeneration(module.text) === 'july',
    methods: dictionaryMethods(module),
  }));
  if (main === undefined) return [];
  if (!main.july) return main.methods;
  const found: MergingMethod[] = [];
  for (const file of ['llm_merging/setup.py', 'setup.py']) {
    found.push(...((await readModule(folder, file, entryPointMethods)) ?? []));
  }
  return found;
}
