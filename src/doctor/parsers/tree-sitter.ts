import { readFile } from 'node:fs/promises';
import { Language, type Node, Parser, type Tree } from 'web-tree-sitter';
import { wasmPath } from '../../base/index.ts';

export type { Node, Tree };

type Grammar = 'python' | 'bash';

let started: Promise<void> | undefined;
const parsers = new Map<Grammar, Promise<Parser>>();

async function start(): Promise<void> {
  await Parser.init({ wasmBinary: await readFile(wasmPath('web-tree-sitter')) });
}

async function load(grammar: Grammar): Promise<Parser> {
  started ??= start();
  await started;
  const language = await Language.load(await readFile(wasmPath(`tree-sitter-${grammar}`)));
  const parser = new Parser();
  parser.setLanguage(language);
  return parser;
}

/**
 * Parses a text. Wrong syntax gives a tree with error nodes, never a failure. The tree lives in WebAssembly memory:
 * its owner must `delete()` it.
 */
export async function parseTree(grammar: Grammar, text: string): Promise<Tree> {
  let parser = parsers.get(grammar);
  if (parser === undefined) {
    parser = load(grammar);
    parsers.set(grammar, parser);
  }
  const tree = (await parser).parse(text);
  if (tree === null) throw new Error(`the ${grammar} parser gave no tree`);
  return tree;
}

/** 1-based line on which a node begins. */
export function lineOf(node: Node): number {
  return node.startPosition.row + 1;
}

/** Named children without comments. */
export function childrenOf(node: Node): Node[] {
  return node.namedChildren.filter((child) => child.type !== 'comment');
}
