import { type Instruction as AstInstruction, DockerfileParser, type Flag } from 'dockerfile-ast';
import { parseShell, type ShellScript } from './shell.ts';

/** One instruction of a Dockerfile. Lines are 1-based. */
export interface DockerInstruction {
  /** Upper case; what stands there even when Docker knows no such instruction. */
  readonly keyword: string;
  readonly line: number;
  readonly endLine: number;
  readonly flags: readonly { readonly name: string; readonly value: string; readonly line: number }[];
  /** What follows the flags: lines kept as they are, comments and empty lines inside blanked. */
  readonly body: string;
  /** Line on which `body` begins. */
  readonly bodyLine: number;
  /** The JSON array of the exec form. */
  readonly exec?: readonly string[];
  /** Written like a JSON array and is none: Docker hands it to a shell. */
  readonly brokenExec: boolean;
  readonly heredocs: readonly { readonly name: string; readonly content: string; readonly line: number }[];
  /** Replaces the variables that ARG and ENV set before this instruction; others stay. */
  expand(text: string): string;
}

export interface DockerStage {
  readonly name?: string;
  /** The base image, variables replaced. */
  readonly base: string;
  readonly line: number;
  /** Without the FROM. */
  readonly instructions: readonly DockerInstruction[];
}

export interface DockerfileModel {
  /** Relative to the submission's folder. */
  readonly file: string;
  readonly text: string;
  /** All instructions in order, FROM and those before it included. */
  readonly instructions: readonly DockerInstruction[];
  readonly stages: readonly DockerStage[];
}

const known = new Set(
  'ADD ARG CMD COPY ENTRYPOINT ENV EXPOSE FROM HEALTHCHECK LABEL MAINTAINER ONBUILD RUN SHELL STOPSIGNAL USER VOLUME WORKDIR'.split(
    ' ',
  ),
);

export function isDockerKeyword(keyword: string): boolean {
  return known.has(keyword.toUpperCase());
}

const quotes = /["'“”‘’]/;

/** An array in the exec form, or that it was meant to be one. `[ -f x ] && …` is a test of the shell. */
function readExec(body: string): { exec?: readonly string[]; broken: boolean } {
  const text = body.replace(/\\\r?\n/g, '').trim();
  if (!text.startsWith('[')) return { broken: false };
  try {
    const value: unknown = JSON.parse(text);
    if (Array.isArray(value) && value.every((item) => typeof item === 'string')) {
      return { exec: value, broken: false };
    }
    return { broken: true };
  } catch {
    const inside = text.slice(1).trimStart();
    const list = text.endsWith(']') && /^[\w./-]+\s*,/.test(inside);
    return { broken: quotes.test(inside[0] ?? '') || list };
  }
}

class Builder {
  private readonly lines: readonly string[];
  private readonly file: string;
  private readonly text: string;
  private readonly variables = new Map<string, string>();
  private readonly globals = new Map<string, string>();
  private staged = false;

  constructor(file: string, text: string) {
    this.file = file;
    this.text = text;
    this.lines = text.split(/\r?\n/);
  }

  build(): DockerfileModel {
    const ast = DockerfileParser.parse(this.text);
    const instructions: DockerInstruction[] = [];
    const stages: { name?: string; base: string; line: number; instructions: DockerInstruction[] }[] = [];
    for (const node of ast.getInstructions()) {
      const instruction = this.instruction(node);
      instructions.push(instruction);
      if (instruction.keyword === 'FROM') {
        const [image = '', as, name] = instruction.body.trim().split(/\s+/);
        this.staged = true;
        this.variables.clear();
        stages.push({
          base: instruction.expand(image),
          line: instruction.line,
          instructions: [],
          ...(as?.toUpperCase() === 'AS' && name ? { name } : {}),
        });
      } else stages.at(-1)?.instructions.push(instruction);
      this.remember(instruction);
    }
    return { file: this.file, text: this.text, instructions, stages };
  }

  /** ARG and ENV, for the instructions after them. */
  private remember({ keyword, body, expand }: DockerInstruction) {
    if (keyword !== 'ARG' && keyword !== 'ENV') return;
    const target = this.staged ? this.variables : this.globals;
    const old = keyword === 'ENV' ? /^\s*(\w+)\s+(?!=)(.*)$/s.exec(body) : null;
    if (old?.[1] && !/^\s*\w+=/.test(body)) {
      target.set(old[1], expand(old[2]?.trim() ?? ''));
      return;
    }
    for (const [, name, value] of body.matchAll(
      /(\w+)(?:=("(?:[^"\\]|\\.)*"|'[^']*'|(?:[^\s\\]|\\.)*))?/gs,
    )) {
      if (name === undefined) continue;
      const plain = value?.replace(/^(["'])(.*)\1$/s, '$2');
      if (plain !== undefined) target.set(name, expand(plain));
      else if (this.globals.has(name)) target.set(name, this.globals.get(name) ?? '');
    }
  }

  private instruction(node: AstInstruction): DockerInstruction {
    const range = node.getRange();
    const keyword = node.getKeyword().toUpperCase();
    const line = range.start.line + 1;
    const endLine = range.end.line + 1;
    const flags = ('getFlags' in node ? (node.getFlags as () => Flag[])() : []).map((flag) => ({
      name: flag.getName(),
      value: flag.getValue() ?? '',
      line: flag.getRange().start.line + 1,
    }));
    const after = 'getFlags' in node ? (node.getFlags as () => Flag[])().at(-1)?.getRange().end : undefined;
    const start = after ?? node.getInstructionRange().end;
    const raw = this.lines.slice(start.line, endLine);
    raw[0] = raw[0]?.slice(start.character) ?? '';
    const heredocs = 'getHeredocs' in node ? this.heredocs(node) : [];
    const body = raw
      .map((text, index) =>
        index > 0 && heredocs.length === 0 && /^\s*(#|$)/.test(text) && index < raw.length - 1 ? '\\' : text,
      )
      .join('\n');
    const { exec, broken } = readExec(body);
    const values = new Map([...(keyword === 'FROM' ? this.globals : []), ...this.variables]);
    return {
      keyword,
      line,
      endLine,
      flags,
      body,
      bodyLine: start.line + 1,
      ...(exec ? { exec } : {}),
      brokenExec: broken,
      heredocs,
      expand: (text) =>
        text.replace(
          /\$(?:(\w+)|\{(\w+)(?::?-([^}]*))?\})/g,
          (whole, plain?: string, braced?: string, fallback?: string) =>
            values.get(plain ?? braced ?? '') ?? fallback ?? whole,
        ),
    };
  }

  private heredocs(node: AstInstruction) {
    const found = (
      node as AstInstruction & { getHeredocs(): ReturnType<AstInstruction['getHeredocs']> }
    ).getHeredocs();
    return found.map((heredoc) => {
      const range = heredoc.getContentRange();
      const content = range ? this.lines.slice(range.start.line, range.end.line + 1).join('\n') : '';
      return {
        name: heredoc.getName(),
        content,
        line: (range?.start.line ?? heredoc.getStartRange().start.line) + 1,
      };
    });
  }
}

/** Reads a Dockerfile. What Docker would not accept is kept as it stands. */
export function parseDockerfile(file: string, text: string): DockerfileModel {
  return new Builder(file, text).build();
}

/** The words of an instruction without flags: those of its exec form, else its text split as Docker does. */
export function wordsOf(instruction: DockerInstruction): string[] {
  if (instruction.exec) return [...instruction.exec];
  // Of a heredoc only the line that opens it holds words.
  const [opening = ''] = instruction.body.split('\n', 1);
  const text = (instruction.heredocs.length > 0 ? opening : instruction.body).replace(/\\\r?\n/g, ' ').trim();
  return (text.match(/"(?:[^"\\]|\\.)*"|'[^']*'|(?:\\.|[^\s"'])+/g) ?? []).map((word) =>
    word.replace(/^(["'])(.*)\1$/s, '$2'),
  );
}

/** The shell commands of a RUN, CMD or ENTRYPOINT in shell form; those of a heredoc where there is one. */
export async function shellOf(instruction: DockerInstruction): Promise<ShellScript> {
  const values = new Map<string, string>();
  for (const [name] of instruction.body.matchAll(/\w+/g)) {
    const value = instruction.expand(`$${name}`);
    if (value !== `$${name}`) values.set(name, value);
  }
  const [heredoc] = instruction.heredocs;
  if (heredoc) return parseShell(heredoc.content, heredoc.line, values);
  return parseShell(instruction.body, instruction.bodyLine, values);
}
