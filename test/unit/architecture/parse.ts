import { posix } from 'node:path';
import { parseSync } from 'oxc-parser';

/** One source file: its path from the repository's root with forward slashes, and its text. */
export interface Source {
  readonly path: string;
  readonly text: string;
}

/** Something a file refers to or contains, with its line (from 1). */
export interface Found {
  readonly value: string;
  readonly line: number;
}

export interface Parsed {
  readonly path: string;
  readonly lines: number;
  /** Modules named by imports of every form (types and `import()` included): packages, or paths from the root. */
  readonly imports: readonly Found[];
  /** Where the type `any` is written. */
  readonly anys: readonly Found[];
  /** Comments that switch a checker off. */
  readonly directives: readonly Found[];
}

interface Node {
  readonly type: string;
  readonly start: number;
  readonly [key: string]: unknown;
}

const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && typeof (value as { type?: unknown }).type === 'string';

function* walk(value: unknown): Generator<Node> {
  if (Array.isArray(value)) {
    for (const item of value) yield* walk(item);
  } else if (isNode(value)) {
    yield value;
    for (const key in value) yield* walk(value[key]);
  }
}

const textOf = (value: unknown): string | undefined => {
  const literal = isNode(value) && value.type === 'Literal' ? value.value : undefined;
  return typeof literal === 'string' ? literal : undefined;
};

/** The module that a node imports, if it is an import of any form. */
function moduleOf(node: Node): string | undefined {
  switch (node.type) {
    case 'ImportDeclaration':
    case 'ExportNamedDeclaration':
    case 'ExportAllDeclaration':
    case 'ImportExpression':
    case 'TSImportType':
      return textOf(node.source) ?? textOf(node.argument);
    case 'TSExternalModuleReference':
      return textOf(node.expression);
    case 'CallExpression': {
      const callee = node.callee;
      const called = isNode(callee) && callee.type === 'Identifier' && callee.name === 'require';
      return called && Array.isArray(node.arguments) ? textOf(node.arguments[0]) : undefined;
    }
    default:
      return undefined;
  }
}

// What Biome is told to leave in its layout (a table, say) is still checked.
const switchesOff = /@ts-(ignore|expect-error|nocheck)|biome-ignore(?!-?\w* format\b)/;

/** @throws Error when the source does not parse */
export function parse({ path, text }: Source): Parsed {
  const { program, comments, errors } = parseSync(path, text);
  const [error] = errors;
  if (error !== undefined) throw new Error(`${path} does not parse: ${error.message}`);
  const found = (value: string, start: number): Found => ({
    value,
    line: text.slice(0, start).split('\n').length,
  });
  const imports: Found[] = [];
  const anys: Found[] = [];
  for (const node of walk(program)) {
    const module = moduleOf(node);
    if (module !== undefined) {
      const target = module.startsWith('.') ? posix.join(posix.dirname(path), module) : module;
      imports.push(found(target, node.start));
    }
    if (node.type === 'TSAnyKeyword') anys.push(found('any', node.start));
  }
  const directives = comments
    .filter(({ value }) => switchesOff.test(value))
    .map(({ value, start }) => found(value.trim(), start));
  return { path, lines: text.trimEnd().split('\n').length, imports, anys, directives };
}
