import { childrenOf, lineOf, type Node, parseTree } from './tree-sitter.ts';

/** One word of a command after quotes are removed. */
export interface ShellWord {
  /** Variables stay as `$NAME`; `${NAME:-default}` becomes the default when nothing sets it. */
  readonly text: string;
  /** 1-based, in the file that the script is part of. */
  readonly line: number;
  /** Names of the variables in it. */
  readonly variables: readonly string[];
  /** True when any part of it was quoted. */
  readonly quoted: boolean;
}

export interface ShellCommand {
  readonly words: readonly ShellWord[];
  /** Variables set for this command alone, or for the shell when there are no words. */
  readonly assigns: readonly { readonly name: string; readonly value: ShellWord }[];
  readonly redirects: readonly {
    readonly operator: string;
    readonly target: ShellWord;
    readonly line: number;
  }[];
  /** Ends in `&`: what follows does not wait for it. */
  readonly background: boolean;
  readonly line: number;
  /** True inside `if`, a loop, or after `||`: it may not run. */
  readonly conditional: boolean;
}

export interface ShellScript {
  /** All commands in the order in which they stand, those in groups and substitutions included. */
  readonly commands: readonly ShellCommand[];
  /** Variables of loops and of `read`. */
  readonly ownVariables: ReadonlySet<string>;
  readonly broken: boolean;
}

const withoutBackslashes = (text: string) =>
  text.replace(/\\(\r?\n|.)/gs, (_, next: string) => (/\n$/.test(next) ? '' : next));

class Reader {
  readonly commands: ShellCommand[] = [];
  readonly ownVariables = new Set<string>();
  private readonly firstLine: number;
  private readonly values: ReadonlyMap<string, string>;

  constructor(firstLine: number, values: ReadonlyMap<string, string>) {
    this.firstLine = firstLine;
    this.values = values;
  }

  private line(node: Node): number {
    return lineOf(node) + this.firstLine - 1;
  }

  private variable(name: string, fallback: string | undefined, names: string[]): string {
    names.push(name);
    return this.values.get(name) ?? fallback ?? `$${name}`;
  }

  private textOf(node: Node, names: string[]): string {
    const parts = () =>
      childrenOf(node)
        .map((child) => this.textOf(child, names))
        .join('');
    switch (node.type) {
      case 'raw_string':
        return node.text.slice(1, -1);
      case 'ansi_c_string':
        return withoutBackslashes(node.text.slice(2, -1));
      case 'string': {
        // Blanks between the parts of a string are no nodes of their own.
        let text = '';
        let at = node.startIndex + 1;
        for (const child of childrenOf(node)) {
          text += node.text.slice(at - node.startIndex, child.startIndex - node.startIndex);
          text += this.textOf(child, names);
          at = child.endIndex;
        }
        return text + node.text.slice(at - node.startIndex, -1);
      }
      case 'string_content':
        return node.text.replace(/\\(["\\$`\n])/g, (_, next: string) => (next === '\n' ? '' : next));
      case 'concatenation':
      case 'command_name':
        return parts();
      case 'simple_expansion':
        return this.variable(node.text.slice(1), undefined, names);
      case 'expansion': {
        const name = childrenOf(node).find((child) => child.type === 'variable_name')?.text;
        if (name === undefined) return node.text;
        const fallback = /^\$\{\w+:?-(.*)\}$/s.exec(node.text)?.[1];
        return this.variable(name, fallback, names);
      }
      case 'command_substitution':
      case 'process_substitution':
        this.statements(node, true);
        return node.text;
      default:
        return withoutBackslashes(node.text);
    }
  }

  private word(node: Node): ShellWord {
    const variables: string[] = [];
    const text = this.textOf(node, variables);
    return { text, line: this.line(node), variables, quoted: /["']/.test(node.text) };
  }

  private assignment(node: Node) {
    const name = node.childForFieldName('name')?.text ?? '';
    const value = node.childForFieldName('value');
    const empty: ShellWord = { text: '', line: this.line(node), variables: [], quoted: false };
    return { name, value: value ? this.word(value) : empty };
  }

  private command(node: Node, conditional: boolean, redirectNodes: readonly Node[]) {
    const words: ShellWord[] = [];
    const assigns: ShellCommand['assigns'][number][] = [];
    const redirects = [...redirectNodes];
    for (const child of childrenOf(node)) {
      if (child.type === 'variable_assignment') assigns.push(this.assignment(child));
      else if (child.type.endsWith('_redirect')) redirects.push(child);
      else words.push(this.word(child));
    }
    if (node.type === 'declaration_command') {
      words.unshift({
        text: node.firstChild?.text ?? 'export',
        line: this.line(node),
        variables: [],
        quoted: false,
      });
    }
    // What stands behind the target of a redirection is a word of the command again.
    const targets = redirects
      .filter((redirect) => redirect.type === 'file_redirect')
      .map((redirect) => {
        const [target, ...more] = redirect.childrenForFieldName('destination');
        words.push(...more.map((extra) => this.word(extra)));
        return target
          ? {
              operator: redirect.children.find((part) => /[<>]/.test(part.type))?.type ?? '>',
              target: this.word(target),
              line: this.line(redirect),
            }
          : undefined;
      })
      .filter((redirect) => redirect !== undefined);
    if (words[0]?.text === 'read') for (const { text } of words.slice(1)) this.ownVariables.add(text);
    this.commands.push({
      words,
      assigns,
      redirects: targets,
      background: this.endsInBackground(node),
      line: this.line(node),
      conditional,
    });
  }

  private endsInBackground(node: Node): boolean {
    let last = node;
    while (last.parent && /^(redirected_statement|pipeline|list|negated_command)$/.test(last.parent.type)) {
      if (last.parent.lastChild?.endIndex !== last.endIndex) break;
      last = last.parent;
    }
    return last.nextSibling?.type === '&';
  }

  statements(node: Node, conditional: boolean): void {
    for (const child of childrenOf(node)) this.statement(child, conditional);
  }

  private statement(node: Node, conditional: boolean, redirects: readonly Node[] = []): void {
    switch (node.type) {
      case 'command':
      case 'declaration_command':
        this.command(node, conditional, redirects);
        return;
      case 'variable_assignment': {
        const assigns = [this.assignment(node)];
        this.commands.push({
          words: [],
          assigns,
          redirects: [],
          background: false,
          line: this.line(node),
          conditional,
        });
        return;
      }
      case 'redirected_statement': {
        const body = node.childForFieldName('body');
        const own = childrenOf(node).filter((child) => child.type.endsWith('_redirect'));
        if (body) this.statement(body, conditional, own);
        return;
      }
      case 'list': {
        const [left, right] = childrenOf(node);
        if (left) this.statement(left, conditional);
        if (right) this.statement(right, conditional || node.children.some((part) => part.type === '||'));
        return;
      }
      case 'for_statement':
      case 'c_style_for_statement':
      case 'select_statement': {
        const name = node.childForFieldName('variable')?.text;
        if (name) this.ownVariables.add(name);
        const body = node.childForFieldName('body');
        if (body) this.statements(body, true);
        return;
      }
      case 'pipeline':
      case 'subshell':
      case 'compound_statement':
        this.statements(node, conditional);
        return;
      case 'function_definition':
      case 'if_statement':
      case 'while_statement':
      case 'case_statement':
      case 'case_item':
      case 'elif_clause':
      case 'else_clause':
      case 'do_group':
      case 'negated_command':
      case 'ERROR':
        this.statements(node, true);
        return;
      default:
        return;
    }
  }
}

/**
 * Reads shell commands. Nothing is run: groups, pipes and lists are flattened into their commands.
 * @param firstLine line of the file on which the text begins
 * @param values variables that are known
 */
export async function parseShell(
  text: string,
  firstLine = 1,
  values: ReadonlyMap<string, string> = new Map(),
): Promise<ShellScript> {
  const tree = await parseTree('bash', text);
  try {
    const reader = new Reader(firstLine, values);
    reader.statements(tree.rootNode, false);
    return { commands: reader.commands, ownVariables: reader.ownVariables, broken: tree.rootNode.hasError };
  } finally {
    tree.delete();
  }
}
