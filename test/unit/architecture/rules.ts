import type { Parsed } from './parse.ts';

/** A breach of a design rule: where, and what is wrong. */
export interface Violation {
  readonly file: string;
  readonly line: number;
  readonly what: string;
}

/** The folders of src/ from the bottom up. A folder imports its own layer and those below. */
const layers: readonly (readonly string[])[] = [
  ['base'],
  ['checkpoint', 'jobs', 'machine'],
  ['submission', 'merge', 'model', 'serve', 'helm', 'train', 'doctor', 'pack'],
  ['ui', 'cli'],
];

/** Folders that never import one another, although they share a layer. */
const apart: readonly (readonly string[])[] = [
  ['merge', 'model', 'helm'],
  ['ui', 'cli'],
];

const maximumLines = 400;

/** The folder of src/ that a file belongs to; the two composition roots belong to what they compose. */
export function folderOf(path: string): string | undefined {
  if (path === 'src/extension.ts') return 'ui';
  if (path === 'src/cli.ts') return 'cli';
  return /^src\/([^/]+)\//.exec(path)?.[1];
}

const layerOf = (folder: string) => layers.findIndex((names) => names.includes(folder));

/** Rule 1: `vscode` is imported in src/extension.ts and src/ui only, and by tests that run in the extension host. */
export function vscodeOutsideUi(files: readonly Parsed[]): Violation[] {
  return files
    .filter(({ path }) => folderOf(path) !== 'ui' && !path.startsWith('test/extension/'))
    .flatMap(({ path, imports }) =>
      imports
        .filter(({ value }) => value === 'vscode')
        .map(({ line }) => ({
          file: path,
          line,
          what: 'vscode is imported outside src/ui and src/extension.ts',
        })),
    );
}

/** Rule 2: imports point one way, from the composition roots down to base. */
export function wrongDirection(files: readonly Parsed[]): Violation[] {
  return betweenFolders(files).flatMap(({ from, to, file, line }) => {
    const [source, target] = [layerOf(from), layerOf(to)];
    if (source === -1) return [{ file, line, what: `the folder ${from} belongs to no layer` }];
    if (target > source) return [{ file, line, what: `${from} imports ${to}, which lies above it` }];
    const separate = apart.some((group) => group.includes(from) && group.includes(to));
    return separate ? [{ file, line, what: `${from} and ${to} never import one another` }] : [];
  });
}

/** Rule 3: other folders are imported through their index.ts only. */
export function besideTheDoor(files: readonly Parsed[]): Violation[] {
  return betweenFolders(files)
    .filter(({ to, target }) => target !== `src/${to}/index.ts`)
    .map(({ file, line, to, target }) => ({ file, line, what: `${target} is behind the door of ${to}` }));
}

interface FolderImport {
  readonly from: string;
  readonly to: string;
  readonly target: string;
  readonly file: string;
  readonly line: number;
}

function betweenFolders(files: readonly Parsed[]): FolderImport[] {
  return files.flatMap(({ path, imports }) => {
    const from = folderOf(path);
    if (from === undefined) return [];
    return imports.flatMap(({ value, line }) => {
      const to = folderOf(value);
      return to === undefined || to === from ? [] : [{ from, to, target: value, file: path, line }];
    });
  });
}

/** Rule 2: no circles, neither between files nor between folders of src/. */
export function circles(files: readonly Parsed[]): Violation[] {
  const byFile = new Map(files.map(({ path, imports }) => [path, imports.map(({ value }) => value)]));
  const byFolder = new Map<string, string[]>();
  for (const { from, to } of betweenFolders(files)) byFolder.set(from, [...(byFolder.get(from) ?? []), to]);
  return [...circlesOf(byFile), ...circlesOf(byFolder)].map((circle) => ({
    file: circle[0] ?? '',
    line: 1,
    what: `imports go in a circle: ${[...circle, circle[0]].join(' → ')}`,
  }));
}

/** Strongly connected parts of a graph with more than one member, and nodes that point to themselves (Tarjan 1972). */
function circlesOf(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const found: string[][] = [];
  const stack: string[] = [];
  const order = new Map<string, number>();
  const lowest = new Map<string, number>();
  const visit = (node: string): number => {
    const index = order.size;
    order.set(node, index);
    let low = index;
    stack.push(node);
    for (const next of graph.get(node) ?? []) {
      if (!graph.has(next)) continue;
      if (!order.has(next)) low = Math.min(low, visit(next));
      else if (stack.includes(next)) low = Math.min(low, lowest.get(next) ?? index, order.get(next) ?? index);
    }
    lowest.set(node, low);
    if (low === index) {
      const part = stack.splice(stack.indexOf(node));
      if (part.length > 1 || graph.get(node)?.includes(node)) found.push(part);
    }
    return low;
  };
  for (const node of graph.keys()) if (!order.has(node)) visit(node);
  return found;
}

/** Rule 9: a file fits in the head, and no checker is switched off. */
export function unruly(files: readonly Parsed[]): Violation[] {
  return files.flatMap(({ path, lines, anys, directives }) => [
    ...(lines > maximumLines
      ? [{ file: path, line: maximumLines + 1, what: `${lines} lines; ${maximumLines} is the most` }]
      : []),
    ...anys.map(({ line }) => ({ file: path, line, what: 'the type any' })),
    ...directives.map(({ line, value }) => ({
      file: path,
      line,
      what: `a checker is switched off: ${value}`,
    })),
  ]);
}

export const rules = { vscodeOutsideUi, wrongDirection, besideTheDoor, circles, unruly };
