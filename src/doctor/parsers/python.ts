import { childrenOf, lineOf, type Node, parseTree, type Tree } from './tree-sitter.ts';

export interface PythonImport {
  readonly line: number;
  /** `a.b` of `import a.b` and `from a.b import c`; empty for `from . import c`. */
  readonly module: string;
  /** Dots before the module: 0 for an absolute import. */
  readonly level: number;
  /** What `from … import` names; undefined for a plain import. */
  readonly names?: readonly { readonly name: string; readonly as: string }[];
  /** Name that a plain import binds. */
  readonly as?: string;
  readonly star: boolean;
  /** Inside a function: evaluated only when it is called. */
  readonly inFunction: boolean;
  /** Inside `try`, or an `if` that is not about the main module: its failure may be handled. */
  readonly guarded: boolean;
}

export interface PythonParameter {
  readonly name: string;
  readonly type?: Node;
  readonly fallback?: Node;
}

export interface PythonFunction {
  readonly name: string;
  readonly line: number;
  readonly decorators: readonly Node[];
  readonly parameters: readonly PythonParameter[];
  /** Names of the functions and classes around it, outermost first. */
  readonly within: readonly string[];
  readonly inClass: boolean;
  readonly node: Node;
}

export interface PythonClass {
  readonly name: string;
  readonly line: number;
  readonly bases: readonly string[];
  readonly node: Node;
}

export interface PythonCall {
  /** `uvicorn.run`, as it stands. */
  readonly callee: string;
  readonly line: number;
  readonly positional: readonly Node[];
  readonly keywords: ReadonlyMap<string, Node>;
  readonly node: Node;
}

/** The dotted text of a name or attribute; empty for anything else. */
export function dotted(node: Node | null): string {
  if (node === null) return '';
  if (node.type === 'identifier' || node.type === 'dotted_name') return node.text;
  if (node.type === 'attribute') {
    const object = dotted(node.childForFieldName('object'));
    const attribute = node.childForFieldName('attribute')?.text ?? '';
    return object === '' ? '' : `${object}.${attribute}`;
  }
  return '';
}

/** The value of a string literal without placeholders; several beside one another are joined. */
export function stringOf(node: Node | null): string | undefined {
  if (node?.type === 'parenthesized_expression') return stringOf(childrenOf(node)[0] ?? null);
  if (node?.type === 'concatenated_string') {
    const parts = childrenOf(node).map(stringOf);
    return parts.every((part) => part !== undefined) ? parts.join('') : undefined;
  }
  if (node?.type !== 'string') return undefined;
  if (node.namedChildren.some((child) => child.type === 'interpolation')) return undefined;
  return node.namedChildren
    .filter((child) => child.type === 'string_content')
    .map((child) => child.text)
    .join('');
}

/** What a call is given. */
export function argumentsOf(call: Node): Pick<PythonCall, 'positional' | 'keywords'> {
  const list = call.childForFieldName('arguments');
  const positional: Node[] = [];
  const keywords = new Map<string, Node>();
  for (const argument of list?.type === 'argument_list' ? childrenOf(list) : []) {
    const value = argument.childForFieldName('value');
    if (argument.type === 'keyword_argument' && value) {
      keywords.set(argument.childForFieldName('name')?.text ?? '', value);
    } else positional.push(argument);
  }
  return { positional, keywords };
}

/** The functions, classes and guards around a node, innermost first. */
export function* around(node: Node): Generator<Node> {
  for (let at = node.parent; at !== null; at = at.parent) yield at;
}

const isMainGuard = (node: Node) => /^if\s*\(?\s*__name__/.test(node.text.slice(0, 40));

/** One Python file, read and not run. */
export class PythonModule {
  /** Relative to the submission's folder. */
  readonly file: string;
  readonly text: string;
  readonly tree: Tree;
  private importList: PythonImport[] | undefined;
  private functionList: PythonFunction[] | undefined;
  private classList: PythonClass[] | undefined;
  private callList: PythonCall[] | undefined;
  private bindingMap: Map<string, Node> | undefined;

  constructor(file: string, text: string, tree: Tree) {
    this.file = file;
    this.text = text;
    this.tree = tree;
  }

  get root(): Node {
    return this.tree.rootNode;
  }

  /** Line of the first thing that is no Python 3; undefined when all of it is. */
  get errorLine(): number | undefined {
    if (!this.root.hasError) return undefined;
    const find = (node: Node): Node | undefined => {
      if (node.isError || node.isMissing) return node;
      for (const child of node.children) {
        const found = child.hasError || child.isMissing ? find(child) : undefined;
        if (found) return found;
      }
      return undefined;
    };
    const found = find(this.root);
    return found ? lineOf(found) : 1;
  }

  get imports(): readonly PythonImport[] {
    this.importList ??= this.root
      .descendantsOfType(['import_statement', 'import_from_statement'])
      .flatMap((node) => this.readImport(node));
    return this.importList;
  }

  private readImport(node: Node): PythonImport[] {
    const outer = [...around(node)];
    const common = {
      line: lineOf(node),
      inFunction: outer.some((one) => one.type === 'function_definition' || one.type === 'lambda'),
      guarded: outer.some(
        (one) => one.type === 'try_statement' || (one.type === 'if_statement' && !isMainGuard(one)),
      ),
    };
    const nameOf = (part: Node) => {
      const name = part.type === 'aliased_import' ? (part.childForFieldName('name')?.text ?? '') : part.text;
      return { name, as: part.childForFieldName('alias')?.text ?? name };
    };
    if (node.type === 'import_statement') {
      return node.childrenForFieldName('name').map((part) => {
        const { name, as } = nameOf(part);
        return {
          ...common,
          module: name,
          level: 0,
          star: false,
          as: as === name ? (name.split('.')[0] ?? name) : as,
        };
      });
    }
    const source = node.childForFieldName('module_name');
    const prefix = source?.type === 'relative_import' ? source.namedChildren : [];
    const level = prefix.find((part) => part.type === 'import_prefix')?.text.replace(/\s/g, '').length ?? 0;
    const module =
      source?.type === 'relative_import'
        ? (prefix.find((part) => part.type === 'dotted_name')?.text ?? '')
        : (source?.text ?? '');
    return [
      {
        ...common,
        module: module.replace(/\s/g, ''),
        level,
        names: node.childrenForFieldName('name').map(nameOf),
        star: node.namedChildren.some((part) => part.type === 'wildcard_import'),
      },
    ];
  }

  get functions(): readonly PythonFunction[] {
    this.functionList ??= this.root.descendantsOfType('function_definition').map((node) => {
      const outer = [...around(node)].filter((one) => /^(function|class)_definition$/.test(one.type));
      const decorated = node.parent?.type === 'decorated_definition' ? node.parent : undefined;
      return {
        name: node.childForFieldName('name')?.text ?? '',
        line: lineOf(node),
        decorators: (decorated?.namedChildren ?? [])
          .filter((child) => child.type === 'decorator')
          .flatMap((child) => childrenOf(child).slice(0, 1)),
        parameters: childrenOf(node.childForFieldName('parameters') ?? node).flatMap(parameterOf),
        within: outer.map((one) => one.childForFieldName('name')?.text ?? '').reverse(),
        inClass: outer[0]?.type === 'class_definition',
        node,
      };
    });
    return this.functionList;
  }

  get classes(): readonly PythonClass[] {
    this.classList ??= this.root.descendantsOfType('class_definition').map((node) => ({
      name: node.childForFieldName('name')?.text ?? '',
      line: lineOf(node),
      bases: childrenOf(node.childForFieldName('superclasses') ?? node)
        .map(dotted)
        .filter((base) => base !== '' && node.childForFieldName('superclasses') !== null),
      node,
    }));
    return this.classList;
  }

  get calls(): readonly PythonCall[] {
    this.callList ??= this.root.descendantsOfType('call').map((node) => ({
      callee: dotted(node.childForFieldName('function')),
      line: lineOf(node),
      ...argumentsOf(node),
      node,
    }));
    return this.callList;
  }

  /** Names bound at module level, `if` and `try` included, with what was assigned last. */
  get bindings(): ReadonlyMap<string, Node> {
    if (this.bindingMap) return this.bindingMap;
    const bindings = new Map<string, Node>();
    const visit = (node: Node) => {
      for (const child of childrenOf(node)) {
        if (child.type === 'expression_statement') {
          const [assignment] = childrenOf(child);
          const left = assignment?.type === 'assignment' ? assignment.childForFieldName('left') : null;
          const right = assignment?.childForFieldName('right') ?? null;
          for (const name of left?.type === 'identifier'
            ? [left]
            : (left?.descendantsOfType('identifier') ?? [])) {
            bindings.set(name.text, right ?? child);
          }
        } else if (/^(function|class)_definition$/.test(child.type)) {
          bindings.set(child.childForFieldName('name')?.text ?? '', child);
        } else if (child.type === 'decorated_definition') {
          const definition = child.childForFieldName('definition');
          if (definition) bindings.set(definition.childForFieldName('name')?.text ?? '', definition);
        } else if (/^(if|try|with|for|while|match)_statement$|_clause$|^block$/.test(child.type))
          visit(child);
      }
    };
    visit(this.root);
    this.bindingMap = bindings;
    return bindings;
  }

  dispose(): void {
    this.tree.delete();
  }
}

function parameterOf(node: Node): PythonParameter[] {
  const type = node.childForFieldName('type') ?? undefined;
  const fallback = node.childForFieldName('value') ?? undefined;
  const name =
    node.type === 'identifier'
      ? node.text
      : (
          node.childForFieldName('name') ??
          (node.type === 'typed_parameter' ? childrenOf(node)[0] : undefined)
        )?.text;
  if (name === undefined || node.type.endsWith('splat_pattern')) return [];
  return [{ name, ...(type ? { type } : {}), ...(fallback ? { fallback } : {}) }];
}

/** Reads one Python file. The module must be disposed of. */
export async function parsePython(file: string, text: string): Promise<PythonModule> {
  return new PythonModule(file, text, await parseTree('python', text));
}
