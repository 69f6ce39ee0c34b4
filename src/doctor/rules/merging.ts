import { basename } from 'node:path';
import { kitGeneration } from '../../submission/index.ts';
import type { DoctorContext } from '../context.ts';
import { type PythonModule, stringOf } from '../parsers/python.ts';
import { keysOf } from '../routes.ts';
import { type Problem, type Rule, sources } from '../rule.ts';

const methodFolder = 'llm_merging/merging/';

/** The kit's package at its place. */
const hasKit = (context: DoctorContext) => context.isFile('llm_merging/main.py');

/** Modules of `llm_merging/merging/`, without the base class and the package file. */
async function methodModules(context: DoctorContext): Promise<PythonModule[]> {
  const paths = context.files
    .map(({ path }) => path)
    .filter(
      (path) =>
        path.startsWith(methodFolder) &&
        path.endsWith('.py') &&
        !path.slice(methodFolder.length).includes('/'),
    )
    .filter((path) => !/(^|\/)(__init__|Merges)\.py$/.test(path));
  const modules = await Promise.all(paths.map((path) => context.python(path)));
  return modules.filter((module) => module !== undefined);
}

/** Classes that extend Merges, directly or through one another. */
export async function methodClasses(context: DoctorContext) {
  const modules = await methodModules(context);
  const classes = modules.flatMap((module) => module.classes.map((one) => ({ ...one, module })));
  const known = new Set(['Merges']);
  for (let grown = true; grown; ) {
    grown = false;
    for (const { name, bases } of classes) {
      if (known.has(name) || !bases.some((base) => known.has(base.split('.').at(-1) ?? ''))) continue;
      known.add(name);
      grown = true;
    }
  }
  return classes.filter(({ name }) => known.has(name));
}

/** Class names that the entry points of a setup.py lead to: `name = llm_merging.merging.File:Class`. */
async function entryPointClasses(context: DoctorContext): Promise<Set<string>> {
  const names = new Set<string>();
  for (const { path } of context.files) {
    if (!/(^|\/)setup\.(py|cfg)$|(^|\/)pyproject\.toml$/.test(path)) continue;
    for (const [, name] of ((await context.text(path)) ?? '').matchAll(/=\s*["']?[\w.]+\s*:\s*(\w+)/g)) {
      if (name) names.add(name);
    }
  }
  return names;
}

/** Names in the dictionaries of main.py that map a method's name to a class. */
function handlerClasses(main: PythonModule): Set<string> {
  const names = new Set<string>();
  for (const dictionary of main.root.descendantsOfType('dictionary')) {
    if (keysOf(dictionary).length === 0) continue;
    for (const pair of dictionary.namedChildren) {
      const value = pair.type === 'pair' ? pair.childForFieldName('value') : null;
      for (const name of value?.type === 'identifier'
        ? [value]
        : (value?.descendantsOfType('identifier') ?? []))
        names.add(name.text);
    }
  }
  for (const assignment of main.root.descendantsOfType('assignment')) {
    const left = assignment.childForFieldName('left');
    const right = assignment.childForFieldName('right');
    if (
      left?.type === 'subscript' &&
      stringOf(left.childForFieldName('subscript')) !== undefined &&
      right?.type === 'identifier'
    )
      names.add(right.text);
  }
  return names;
}

/** Names that a module can use: its imports, with those that a star brings from the package. */
function importedNames(module: PythonModule, packageInit: PythonModule | undefined): Set<string> {
  const names = new Set<string>();
  for (const { names: listed = [], star, module: source, as } of module.imports) {
    for (const { as: bound } of listed) names.add(bound);
    if (as) names.add(as);
    if (star && source === 'llm_merging.merging' && packageInit) {
      for (const name of importedNames(packageInit, undefined)) names.add(name);
      for (const name of packageInit.bindings.keys()) names.add(name);
    }
  }
  return names;
}

async function notRegistered(context: DoctorContext): Promise<Problem[]> {
  const main = await context.python('llm_merging/main.py');
  if (main === undefined || main.errorLine !== undefined) return [];
  const classes = await methodClasses(context);
  const init = await context.python('llm_merging/merging/__init__.py');
  const points = await entryPointClasses(context);
  const july = kitGeneration(main.text) === 'july';
  const handlers = handlerClasses(main);
  const imported = importedNames(main, init);
  // A class that another one extends is a part of it and needs no name of its own.
  const extended = new Set(classes.flatMap(({ bases }) => bases.map((base) => base.split('.').at(-1) ?? '')));
  return classes.flatMap(({ name, line, module }) => {
    if (extended.has(name)) return [];
    if (july) {
      return points.has(name)
        ? []
        : [
            {
              file: module.file,
              line,
              message: `${name} is no entry point of setup.py.`,
              fix: `Add an entry point for ${name} to llm_merging/setup.py.`,
            },
          ];
    }
    if (!handlers.has(name)) {
      return [
        {
          file: module.file,
          line,
          message: `${name} is not in all_merge_handlers() of main.py.`,
          fix: `Add ${name} to the dictionary in llm_merging/main.py and to llm_merging/merging/__init__.py.`,
        },
      ];
    }
    return imported.has(name)
      ? []
      : [
          {
            file: module.file,
            line,
            message: `${name} is not imported in llm_merging/merging/__init__.py.`,
            fix: `Import ${name} in llm_merging/merging/__init__.py.`,
          },
        ];
  });
}

const products = /^(build|dist|output|outputs|checkpoints|__pycache__|.+\.egg-info)$/;

function buildProducts(context: DoctorContext): Problem[] {
  const found = context.entries
    .filter(({ path, kind }) => kind === 'folder' && products.test(basename(path)))
    .map(({ path }) => path);
  const outermost = found.filter((path) => !found.some((other) => path.startsWith(`${other}/`)));
  if (outermost.length === 0) return [];
  const shown = outermost
    .slice(0, 5)
    .map((path) => `${path}/`)
    .join(', ');
  return [
    {
      file: '.',
      message: `Build products and outputs in the submission: ${shown}${outermost.length > 5 ? ` and ${outermost.length - 5} more` : ''}.`,
    },
  ];
}

export const mergingRules: readonly Rule[] = [
  {
    id: 'merge-package-missing',
    severity: 'error',
    title: 'No llm_merging/main.py below the root',
    why: 'The organizers run `python llm_merging/main.py -m METHOD` from the root of the kit.',
    source: sources.mergingKit,
    fix: 'Put the package llm_merging with its main.py below the root folder.',
    kinds: ['merging'],
    async check(context) {
      if (hasKit(context)) return [];
      const inner = context.isFile('main.py') && context.isFolder('merging');
      return [
        {
          file: '.',
          message: inner
            ? 'This is the inside of llm_merging/: the folder above it is the submission.'
            : 'There is no llm_merging/main.py.',
        },
      ];
    },
  },
  {
    id: 'merge-method-not-registered',
    severity: 'error',
    title: 'A merging method is registered nowhere',
    why: 'main.py finds a method by its name only when it is registered as that generation of the kit wants it.',
    source: sources.mergingKit,
    fix: 'Register the method.',
    kinds: ['merging'],
    check: notRegistered,
  },
  {
    id: 'merge-build-products',
    severity: 'info',
    title: 'Build products and outputs lie in the submission',
    why: 'Participants wonder why their archive has 200 MB; the organizers want the files of the kit and the method.',
    source: sources.mergingKit,
    fix: 'The package leaves them out; delete them to have a clean folder.',
    kinds: ['merging'],
    check: async (context) => buildProducts(context),
  },
  {
    id: 'merge-root-renamed',
    severity: 'info',
    title: 'The folder is not named LLM-Merging',
    why: 'The organizers ask that the root folder of the archive keeps its name.',
    source: sources.mergingKit,
    fix: 'Nothing: the package gives the root its right name.',
    kinds: ['merging'],
    async check(context) {
      const root = context.track.package.root;
      const name = context.name;
      return root === undefined || root === name || !hasKit(context)
        ? []
        : [{ file: '.', message: `The folder is named ${name}; in the archive it must be ${root}.` }];
    },
  },
];
