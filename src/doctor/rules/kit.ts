import { posix } from 'node:path';
import type { DoctorContext } from '../context.ts';
import { argumentsOf, around, dotted, type PythonModule, stringOf } from '../parsers/python.ts';
import { childrenOf, lineOf, type Node } from '../parsers/tree-sitter.ts';
import { type Problem, type Rule, sources } from '../rule.ts';
import { methodClasses } from './merging.ts';

const inBuild = (path: string) => /(^|\/)(build|dist)\//.test(path);

/** Python files of the submission that are its own: none of what a build copied. */
async function ownModules(context: DoctorContext): Promise<PythonModule[]> {
  const paths = context.files
    .map(({ path }) => path)
    .filter((path) => path.endsWith('.py') && !inBuild(path));
  const modules = await Promise.all(paths.map((path) => context.python(path)));
  return modules.filter((module) => module !== undefined);
}

/** Checks every file of the kit's package. */
async function inPackage(context: DoctorContext): Promise<PythonModule[]> {
  return (await ownModules(context)).filter(({ file }) => file.startsWith('llm_merging/'));
}

/** `if False:` and `if 0:` never run. */
function isDead(node: Node): boolean {
  for (const outer of around(node)) {
    if (outer.type === 'if_statement' && /^(False|0)$/.test(outer.childForFieldName('condition')?.text ?? ''))
      return true;
  }
  return false;
}

async function misspelled(context: DoctorContext): Promise<Problem[]> {
  return (await methodClasses(context)).flatMap(({ name, line, node, bases, module }) => {
    const own = module.functions.filter(({ inClass, within }) => inClass && within.at(-1) === name);
    const method = (wanted: string) => own.find((one) => one.name === wanted);
    const problems: Problem[] = [];
    const at = (where: number, message: string) => problems.push({ file: module.file, line: where, message });
    const wrong = own.find((one) => /^_+init_+$/.test(one.name) && one.name !== '__init__');
    if (wrong) at(wrong.line, `${wrong.name} is never called: the name is __init__.`);
    const init = method('__init__');
    if (init) {
      const body = init.node.childForFieldName('body')?.text ?? '';
      if (!/super\([^)]*\)\s*\.\s*__init__|Merges\.__init__/.test(body))
        at(init.line, `__init__ of ${name} does not call super().__init__(name).`);
      const required = init.parameters.slice(1).filter(({ fallback }) => fallback === undefined);
      if (required.length > 1)
        at(
          init.line,
          `__init__ of ${name} requires ${required.map((one) => one.name).join(', ')}; main.py passes the name alone.`,
        );
    }
    // A method that only extends another one inherits its merge().
    const direct = bases.some((base) => base.split('.').at(-1) === 'Merges');
    if (direct && !method('merge') && node.childForFieldName('body')) at(line, `${name} has no merge().`);
    return problems;
  });
}

/** Imports of modules of llm_merging/ that work only when its folder is the one that is run. */
async function rewritten(context: DoctorContext): Promise<Problem[]> {
  return (await inPackage(context)).flatMap((module) =>
    module.imports.flatMap(({ module: source, level, line }) => {
      if (level > 0 || source === '') return [];
      const [first = ''] = source.split('.');
      if (first === 'llm_merging' || first === 'setup') return [];
      const inner =
        context.isFile(`llm_merging/${first}.py`) ||
        (context.isFolder(`llm_merging/${first}`) && first !== '');
      const outer = context.isFile(`${first}.py`) || context.isFile(`${first}/__init__.py`);
      return inner && !outer
        ? [
            {
              file: module.file,
              line,
              message: `${source} is a module of llm_merging/: it is found only when main.py is run by its path.`,
            },
          ]
        : [];
    }),
  );
}

/** Local imports whose module is not there. */
async function broken(context: DoctorContext): Promise<Problem[]> {
  const problems: Problem[] = [];
  for (const module of await inPackage(context)) {
    for (const { module: source, level, line, names, guarded } of module.imports) {
      if (guarded) continue;
      const base =
        level > 0
          ? relativeBase(module.file, level, source)
          : source.startsWith('llm_merging')
            ? source.replaceAll('.', '/')
            : undefined;
      if (base === undefined) continue;
      const file = [`${base}.py`, `${base}/__init__.py`].find((path) => context.isFile(path));
      if (file === undefined && !context.isFolder(base)) {
        const other = context.files.find(({ path }) => path.toLowerCase() === `${base}.py`.toLowerCase());
        problems.push({
          file: module.file,
          line,
          message: other ? `${base}.py is written ${posix.basename(other.path)}.` : `There is no ${base}.py.`,
        });
        continue;
      }
      const target = file === undefined ? undefined : await context.python(file);
      if (target === undefined || target.errorLine !== undefined || target.imports.some(({ star }) => star))
        continue;
      const known = new Set([
        ...target.bindings.keys(),
        ...target.imports.flatMap((one) => [
          ...(one.names ?? []).map(({ as }) => as),
          ...(one.as ? [one.as] : []),
        ]),
      ]);
      for (const { name } of names ?? []) {
        const submodule = context.isFile(`${base}/${name}.py`) || context.isFolder(`${base}/${name}`);
        if (!known.has(name) && !submodule)
          problems.push({ file: module.file, line, message: `${target.file} defines no ${name}.` });
      }
    }
  }
  return problems;
}

function relativeBase(file: string, level: number, source: string): string {
  let folder = posix.dirname(file);
  for (let up = 1; up < level; up++) folder = posix.dirname(folder);
  return posix.join(folder, source.replaceAll('.', '/'));
}

/** `None` or no revision in `list_models`, `None` as `base_model_revision_id`. */
async function revisions(context: DoctorContext): Promise<Problem[]> {
  return (await methodClasses(context)).flatMap(({ node, module }) =>
    node.descendantsOfType('assignment').flatMap((assignment) => {
      const left = dotted(assignment.childForFieldName('left'));
      const right = assignment.childForFieldName('right');
      if (right === null) return [];
      if (left === 'self.base_model_revision_id' && right.type === 'none')
        return [{ file: module.file, line: lineOf(assignment), message: 'The base model has no revision.' }];
      if (left !== 'self.list_models' || right.type !== 'list') return [];
      return childrenOf(right).flatMap((item) => {
        const parts = item.type === 'tuple' ? childrenOf(item) : [item];
        const [model, revision] = parts;
        const named = stringOf(model ?? null);
        const missing = revision === undefined || revision.type === 'none' || stringOf(revision) === '';
        return named !== undefined && missing
          ? [{ file: module.file, line: lineOf(item), message: `${named} has no revision.` }]
          : [];
      });
    }),
  );
}

async function calls(
  context: DoctorContext,
  wanted: RegExp,
  message: (callee: string) => string,
): Promise<Problem[]> {
  return (await inPackage(context)).flatMap((module) =>
    module.calls
      .filter(({ callee, node }) => wanted.test(callee) && !isDead(node))
      .map(({ callee, line }) => ({ file: module.file, line, message: message(callee) })),
  );
}

const device = /^cuda:\d+$/;

export const kitRules: readonly Rule[] = [
  {
    id: 'merge-init-misspelled',
    severity: 'error',
    title: 'A method that main.py cannot construct or run',
    why: 'main.py constructs the class with its name and calls merge().',
    source: sources.mergingKit,
    fix: 'Write __init__(self, name) with super().__init__(name), and merge(self).',
    kinds: ['merging'],
    check: misspelled,
  },
  {
    id: 'merge-import-broken',
    severity: 'error',
    title: 'A module or class is imported that does not exist',
    why: 'The import fails before any method runs.',
    source: sources.mergingKit,
    fix: 'Correct the import, or delete it.',
    kinds: ['merging'],
    check: broken,
  },
  {
    id: 'merge-package-imports-rewritten',
    severity: 'warning',
    title: 'A module of the package is imported without its package',
    why: 'It works only as `python llm_merging/main.py`, not from an installed package.',
    source: sources.mergingKit,
    fix: 'Import it as llm_merging.….',
    kinds: ['merging'],
    check: rewritten,
  },
  {
    id: 'merge-revision-missing',
    severity: 'warning',
    title: 'A model without a revision',
    why: 'Only a revision shows that the model has not changed after 31 May 2024.',
    source: sources.mergingKit,
    fix: 'Write the commit of the model.',
    kinds: ['merging'],
    check: revisions,
  },
  {
    id: 'merge-method-overridden',
    severity: 'error',
    title: 'main.py ignores the method that it is asked for',
    why: 'The organizers choose the method with -m.',
    source: sources.mergingKit,
    fix: 'Delete the assignment.',
    kinds: ['merging'],
    async check(context) {
      const main = await context.python('llm_merging/main.py');
      return (main?.root.descendantsOfType('assignment') ?? [])
        .filter((node) => dotted(node.childForFieldName('left')) === 'args.merging_method' && !isDead(node))
        .map((node) => ({
          file: 'llm_merging/main.py',
          line: lineOf(node),
          message: 'args.merging_method is overwritten.',
        }));
    },
  },
  {
    id: 'merge-token-overwritten',
    severity: 'error',
    title: 'The token of the environment is overwritten',
    why: 'The organizers set HF_AUTH_TOKEN to theirs; without it gated models cannot be loaded.',
    source: sources.mergingKit,
    fix: 'Delete the line and set the variable in the shell.',
    kinds: ['merging'],
    check: async (context) =>
      (await ownModules(context)).flatMap((module) =>
        module.root.descendantsOfType('assignment').flatMap((node) => {
          const left = node.childForFieldName('left');
          if (left?.type !== 'subscript' || !/(^|\.)environ$/.test(dotted(left.childForFieldName('value'))))
            return [];
          if (stringOf(left.childForFieldName('subscript')) !== 'HF_AUTH_TOKEN' || isDead(node)) return [];
          return [{ file: module.file, line: lineOf(node), message: 'HF_AUTH_TOKEN is overwritten.' }];
        }),
      ),
  },
  {
    id: 'merge-main-not-runnable',
    severity: 'error',
    title: 'main.py cannot be run with -m',
    why: 'The organizers run `python llm_merging/main.py -m METHOD`.',
    source: sources.mergingKit,
    fix: 'Restore the option and the call under `if __name__ == "__main__"`.',
    kinds: ['merging'],
    async check(context) {
      const main = await context.python('llm_merging/main.py');
      if (main === undefined || main.errorLine !== undefined) return [];
      const options = main.calls.filter(
        ({ callee, node }) =>
          /(\.add_argument|(^|\.)option)$/.test(callee) &&
          argumentsOf(node).positional.some((flag) => /^(-m|--merging_method)$/.test(stringOf(flag) ?? '')),
      );
      const problems: Problem[] = [];
      if (options.length === 0) problems.push({ file: main.file, message: 'main.py has no option -m.' });
      const guarded = main.root
        .descendantsOfType('if_statement')
        .some((node) => /__name__/.test(node.childForFieldName('condition')?.text ?? ''));
      const atTop = main.calls.some(
        ({ callee, node }) =>
          /(^|\.)(main|merge|parse_args)$/.test(callee) &&
          ![...around(node)].some(({ type }) => type === 'function_definition'),
      );
      if (!guarded && !atTop)
        problems.push({ file: main.file, message: 'main.py runs nothing when it is started.' });
      return problems;
    },
  },
  {
    id: 'merge-debugger-left',
    severity: 'warning',
    title: 'A debugger stops the run',
    why: 'The organizers’ run waits there until its hour is over.',
    source: sources.mergingRules,
    fix: 'Delete the line.',
    kinds: ['merging'],
    check: (context) =>
      calls(
        context,
        /^(breakpoint|i?pdb\.set_trace|pudb\.set_trace|ipdb\.sset_trace|IPython\.embed)$/,
        (callee) => `${callee}() stops the run.`,
      ),
  },
  {
    id: 'merge-device-hardcoded',
    severity: 'warning',
    title: 'A device is named in the code',
    why: 'The organizers’ device may be another one; they ask to choose it with CUDA_VISIBLE_DEVICES.',
    source: sources.mergingKit,
    fix: 'Write "cuda", and choose the device in the environment.',
    kinds: ['merging'],
    check: async (context) =>
      (await inPackage(context)).flatMap((module) =>
        module.root
          .descendantsOfType('string')
          .filter((node) => device.test(stringOf(node) ?? '') && !isDead(node))
          .map((node) => ({
            file: module.file,
            line: lineOf(node),
            message: `${stringOf(node)} names a device.`,
          })),
      ),
  },
];
