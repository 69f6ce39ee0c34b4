import { posix } from 'node:path';
import type { DoctorContext } from '../context.ts';
import { servedModules } from '../modules.ts';
import type { PythonModule } from '../parsers/python.ts';
import { type Problem, type Rule, sources } from '../rule.ts';

/** Names that a module binds at its top level, imports included; undefined when a star may bring any. */
function boundNames(module: PythonModule): Set<string> | undefined {
  const names = new Set(module.bindings.keys());
  for (const { star, names: listed = [], as, inFunction } of module.imports) {
    if (inFunction) continue;
    if (star) return undefined;
    for (const { as: bound } of listed) names.add(bound);
    if (as) names.add(as);
  }
  // `global app` in a function, `with x as app`, `for app in`, a walrus: rare, and never reported as missing.
  for (const node of module.root.descendantsOfType([
    'global_statement',
    'as_pattern_target',
    'named_expression',
  ])) {
    for (const name of node.descendantsOfType('identifier')) names.add(name.text);
  }
  return names;
}

async function appMissing(context: DoctorContext): Promise<Problem[]> {
  const served = await context.served();
  if (served?.module === undefined || served.app === undefined || served.command === undefined) return [];
  const module = await context.python(served.module);
  if (module === undefined || module.errorLine !== undefined) return [];
  const [name = ''] = served.app.split('.');
  const names = boundNames(module);
  if (names === undefined || names.has(name)) return [];
  return [
    { file: served.command.file, line: served.command.line, message: `${served.module} defines no ${name}.` },
  ];
}

async function syntaxErrors(context: DoctorContext): Promise<Problem[]> {
  const served = await context.served();
  const modules = served ? await servedModules(context, served) : [];
  return modules.flatMap((module) => {
    const line = module.errorLine;
    return line === undefined
      ? []
      : [{ file: module.file, line, message: `${module.file} is no Python 3 from here on.` }];
  });
}

/** Local modules that the server imports and that lie in the submission, yet not in the image. */
async function notCopied(context: DoctorContext): Promise<Problem[]> {
  const [served, image] = [await context.served(), await context.image()];
  if (served?.module === undefined || image === undefined || image.ownBase) return [];
  const main = await context.python(served.module);
  if (main === undefined) return [];
  const here = posix.dirname(served.module) === '.' ? '' : posix.dirname(served.module);
  return main.imports.flatMap(({ module, level, line, guarded }) => {
    if (level > 0 || module === '' || guarded) return [];
    const [first = ''] = module.split('.');
    const own = [posix.join(here, `${first}.py`), posix.join(here, first, '__init__.py')].find((path) =>
      context.isFile(path),
    );
    if (own === undefined) return [];
    const names = [`${first}.py`, `${first}/__init__.py`, first];
    const reachable = names.some(
      (name) => image.locate(posix.join(served.importRoot, name)).from !== 'nowhere',
    );
    return reachable
      ? []
      : [
          {
            file: main.file,
            line,
            message: `${own} is imported and not copied into the image.`,
            fix: `Add COPY ${own} to the Dockerfile.`,
          },
        ];
  });
}

export const pythonRules: readonly Rule[] = [
  {
    id: 'py-syntax-error',
    severity: 'error',
    title: 'The server is no Python',
    why: 'Python stops at the line, and the container ends.',
    source: sources.pipeline,
    fix: 'Correct the line.',
    kinds: ['efficiency'],
    check: syntaxErrors,
  },
  {
    id: 'entry-app-missing',
    severity: 'error',
    title: 'The served module defines no application of that name',
    why: 'uvicorn stops with an error, and the container ends.',
    source: sources.pipeline,
    fix: 'Correct the name in CMD, or define the application.',
    kinds: ['efficiency'],
    check: appMissing,
  },
  {
    id: 'py-local-module-not-copied',
    severity: 'error',
    title: 'A local module is imported and not copied into the image',
    why: 'The import fails, and the container ends.',
    source: sources.pipeline,
    fix: 'Add a COPY for it.',
    kinds: ['efficiency'],
    check: notCopied,
  },
];
