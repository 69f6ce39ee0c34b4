import { argumentsOf, around, dotted, type PythonModule, stringOf } from './parsers/python.ts';
import { childrenOf, lineOf, type Node } from './parsers/tree-sitter.ts';

/** A constant, with the place where it is written. */
export interface Constant {
  readonly value: string | number;
  readonly file: string;
  readonly line: number;
}

/** What is known when constants are followed. */
export interface Known {
  /** Modules in which a name may be defined: the module itself and those that it imports. */
  readonly modules: readonly PythonModule[];
  /** Variables of the environment. */
  readonly environment: ReadonlyMap<string, string>;
  /** Options that the program is started with: `--port 80`, by name without dashes. */
  readonly options: ReadonlyMap<string, Constant>;
}

const depthLimit = 8;

/** Follows an expression to a constant: literals, names, arguments with defaults, the environment. */
export function constantOf(
  node: Node | undefined,
  module: PythonModule,
  known: Known,
  depth = 0,
): Constant | undefined {
  if (node === undefined || depth > depthLimit) return undefined;
  const here = (value: string | number): Constant => ({ value, file: module.file, line: lineOf(node) });
  const follow = (next: Node | null | undefined) => constantOf(next ?? undefined, module, known, depth + 1);
  switch (node.type) {
    case 'integer': {
      const value = Number(node.text.replaceAll('_', ''));
      return Number.isNaN(value) ? undefined : here(value);
    }
    case 'string':
    case 'concatenated_string': {
      const text = stringOf(node);
      return text === undefined ? undefined : here(text);
    }
    case 'parenthesized_expression':
      return follow(childrenOf(node)[0]);
    case 'boolean_operator':
      return follow(node.childForFieldName('left')) ?? follow(node.childForFieldName('right'));
    case 'call':
      return ofCall(node, module, known, depth);
    case 'subscript': {
      const name = stringOf(node.childForFieldName('subscript'));
      const value =
        /environ$/.test(dotted(node.childForFieldName('value'))) && name !== undefined
          ? known.environment.get(name)
          : undefined;
      return value === undefined ? undefined : here(value);
    }
    case 'attribute':
      return ofAttribute(node, module, known, depth);
    case 'identifier':
      return ofName(node, module, known, depth);
    default:
      return undefined;
  }
}

function ofCall(node: Node, module: PythonModule, known: Known, depth: number): Constant | undefined {
  const callee = dotted(node.childForFieldName('function'));
  const { positional, keywords } = argumentsOf(node);
  if (callee === 'int' || callee === 'str') return constantOf(positional[0], module, known, depth + 1);
  if (!/(^|\.)(getenv|environ\.get)$/.test(callee)) return undefined;
  const name = stringOf(positional[0] ?? null);
  const value = name === undefined ? undefined : known.environment.get(name);
  if (value !== undefined) return { value, file: module.file, line: lineOf(node) };
  return constantOf(positional[1] ?? keywords.get('default'), module, known, depth + 1);
}

/** `args.port` is the option of the parser, `config.PORT` a name of a module. */
function ofAttribute(node: Node, module: PythonModule, known: Known, depth: number): Constant | undefined {
  const name = node.childForFieldName('attribute')?.text ?? '';
  const option = optionOf(name, module, known, depth);
  if (option) return option;
  for (const other of known.modules) {
    if (other === module) continue;
    const object = dotted(node.childForFieldName('object')).split('.').at(-1) ?? '';
    if (!new RegExp(`(^|/)${object.replace(/\W/g, '')}(/__init__)?\\.py$`).test(other.file)) continue;
    const bound = other.bindings.get(name);
    if (bound) return constantOf(bound, other, known, depth + 1);
  }
  return undefined;
}

/** An argparse option: what the program is started with, else its default. */
function optionOf(name: string, module: PythonModule, known: Known, depth: number): Constant | undefined {
  for (const call of module.calls) {
    if (!call.callee.endsWith('.add_argument')) continue;
    const flags = call.positional.map((flag) => stringOf(flag) ?? '');
    const destination =
      stringOf(call.keywords.get('dest') ?? null) ??
      flags
        .find((flag) => flag.startsWith('--'))
        ?.slice(2)
        .replaceAll('-', '_') ??
      flags[0]?.replace(/^-+/, '');
    if (destination !== name) continue;
    for (const flag of flags) {
      const given = known.options.get(flag.replace(/^-+/, ''));
      if (given) return given;
    }
    return constantOf(call.keywords.get('default'), module, known, depth + 1);
  }
  return undefined;
}

function ofName(node: Node, module: PythonModule, known: Known, depth: number): Constant | undefined {
  const name = node.text;
  for (const outer of around(node)) {
    if (outer.type !== 'function_definition') continue;
    const local = assignmentIn(outer, name);
    if (local) return constantOf(local, module, known, depth + 1);
    const definition = module.functions.find((one) => one.node.id === outer.id);
    const parameter = definition?.parameters.find((one) => one.name === name);
    if (parameter && definition) {
      return (
        known.options.get(name.replaceAll('_', '-')) ??
        known.options.get(name) ??
        constantOf(parameter.fallback, module, known, depth + 1) ??
        clickDefault(definition.decorators, name, module, known, depth)
      );
    }
  }
  const bound = module.bindings.get(name);
  if (bound) return constantOf(bound, module, known, depth + 1);
  for (const other of known.modules) {
    if (other === module) continue;
    const imported = module.imports.some((one) => one.star || one.names?.some(({ as }) => as === name));
    const found = imported ? other.bindings.get(name) : undefined;
    if (found) return constantOf(found, other, known, depth + 1);
  }
  return undefined;
}

/** What a function assigns to one of its names, when it does so once. */
function assignmentIn(scope: Node, name: string): Node | undefined {
  const found = scope
    .descendantsOfType('assignment')
    .filter(
      (one) =>
        one.childForFieldName('left')?.type === 'identifier' && one.childForFieldName('left')?.text === name,
    );
  return found.length === 1 ? (found[0]?.childForFieldName('right') ?? undefined) : undefined;
}

function clickDefault(
  decorators: readonly Node[],
  name: string,
  module: PythonModule,
  known: Known,
  depth: number,
): Constant | undefined {
  for (const decorator of decorators) {
    if (decorator.type !== 'call') continue;
    const { positional, keywords } = argumentsOf(decorator);
    const flags = positional.map((flag) => stringOf(flag)?.replace(/^-+/, '').replaceAll('-', '_'));
    if (flags.includes(name)) return constantOf(keywords.get('default'), module, known, depth + 1);
  }
  return undefined;
}
