import { posix } from 'node:path';
import type { BuildContext, Image } from './image.ts';
import { type DockerInstruction, shellOf } from './parsers/dockerfile.ts';
import { parseShell, type ShellCommand, type ShellScript, type ShellWord } from './parsers/shell.ts';

/** A command that the container runs when it starts, with where it is written. */
export interface StartCommand {
  readonly words: readonly ShellWord[];
  readonly file: string;
  readonly line: number;
  /** Folder of the image in which it runs. */
  readonly cwd: string;
  /** Variables that the commands before it have set. */
  readonly variables: ReadonlyMap<string, string>;
}

export type Server = 'uvicorn' | 'gunicorn' | 'hypercorn' | 'fastapi' | 'flask' | 'python';

/** What the image starts, as far as it can be told without running it. */
export interface Served {
  /** The last CMD or ENTRYPOINT of the final stage. */
  readonly instruction: DockerInstruction;
  /** All that it starts, in order, start scripts followed. */
  readonly commands: readonly StartCommand[];
  /** The command that serves, and with what. */
  readonly command?: StartCommand;
  readonly server?: Server;
  /** Words after the module or file. */
  readonly args: readonly ShellWord[];
  /** The module as it is named: `main`, `server.main`, `serve.py`. */
  readonly target?: string;
  /** Name of the application in the module; for `python file.py` what uvicorn.run says is not known here. */
  readonly app?: string;
  /** The module's file in the submission; undefined when it is not there or cannot be told. */
  readonly module?: string;
  /** Folder of the image from which local modules are imported. */
  readonly importRoot: string;
  /** The module is certainly in no place where it would be looked for. */
  readonly missing: boolean;
  /** A start script or module lies where it cannot be read. */
  readonly unknown: boolean;
}

const shells = /^(?:\/usr)?(?:\/bin\/)?(?:ba|da|z)?sh$/;
/** Programs that run another one, with how many words of their own follow each option that takes a value. */
const wrappers = new Set([
  'exec',
  'nohup',
  'tini',
  'dumb-init',
  'env',
  'time',
  'sudo',
  'xvfb-run',
  'ddtrace-run',
  'nice',
  'stdbuf',
  'catchsegv',
]);
const launchers = new Set(['accelerate', 'torchrun', 'deepspeed']);
const pythonProgram = /(?:^|\/)python[\d.]*$/;

/** The words behind wrappers such as `exec`, `conda run -n env` and `poetry run`. */
function unwrap(words: readonly ShellWord[]): readonly ShellWord[] {
  let rest = words;
  for (;;) {
    const [first, second] = rest.map(({ text }) => text);
    const name = posix.basename(first ?? '');
    if (wrappers.has(name)) {
      let at = 1;
      while (at < rest.length && /^(-|\w+=)/.test(rest[at]?.text ?? '')) at++;
      rest = rest.slice(at);
    } else if (
      /^(conda|mamba|micromamba|poetry|uv|pipenv|pdm|hatch|opentelemetry-instrument)$/.test(name) &&
      second === 'run'
    ) {
      let at = 2;
      while (at < rest.length && rest[at]?.text.startsWith('-')) {
        at += /^(-n|-p|--name|--prefix|--with|--python)$/.test(rest[at]?.text ?? '') ? 2 : 1;
      }
      rest = rest.slice(at);
    } else if (launchers.has(name)) {
      const script = rest.findIndex(({ text }) => text.endsWith('.py'));
      if (script < 0) return rest;
      return [{ ...(rest[0] as ShellWord), text: 'python' }, ...rest.slice(script)];
    } else return rest;
  }
}

/** Options of Python itself that take a value. */
const pythonValueOptions = new Set(['-W', '-X']);

interface Invocation {
  readonly server: Server;
  readonly target: string;
  readonly app?: string;
  readonly args: readonly ShellWord[];
  /** The target is a path, not a module. */
  readonly isPath: boolean;
}

const appTarget = /^([\w.]+):([\w.]+)(\(.*\))?$/;

function asgiInvocation(server: Server, args: readonly ShellWord[]): Invocation | undefined {
  const found = args.find(({ text }) => appTarget.test(text));
  const match = appTarget.exec(found?.text ?? '');
  if (!match?.[1] || !match[2]) return undefined;
  return { server, target: match[1], app: match[2], args, isPath: false };
}

function pythonInvocation(args: readonly ShellWord[]): Invocation | undefined {
  for (let at = 0; at < args.length; at++) {
    const text = args[at]?.text ?? '';
    const rest = args.slice(at + 1);
    if (text === '-m') {
      const [module, ...after] = rest;
      if (module === undefined) return undefined;
      if (/^(uvicorn|gunicorn|hypercorn)$/.test(module.text))
        return asgiInvocation(module.text as Server, after);
      if (module.text === 'flask' || module.text === 'fastapi') return serverInvocation([module, ...after]);
      return { server: 'python', target: module.text, args: after, isPath: false };
    }
    if (text === '-c') return undefined;
    if (pythonValueOptions.has(text)) at++;
    else if (!text.startsWith('-')) return { server: 'python', target: text, args: rest, isPath: true };
  }
  return undefined;
}

/** What a command serves with; undefined when it is no server and no Python program. */
function serverInvocation(words: readonly ShellWord[]): Invocation | undefined {
  const [first, ...args] = unwrap(words);
  if (first === undefined) return undefined;
  const name = posix.basename(first.text);
  if (name === 'uvicorn' || name === 'gunicorn' || name === 'hypercorn') return asgiInvocation(name, args);
  if (name === 'fastapi') {
    const file = args.slice(1).find(({ text }) => text.endsWith('.py'));
    return { server: 'fastapi', target: file?.text ?? 'main.py', app: 'app', args, isPath: true };
  }
  if (name === 'flask') {
    const at = args.findIndex(({ text }) => text === '--app' || text === '-A');
    const target = at < 0 ? 'app' : (args[at + 1]?.text ?? 'app');
    return { server: 'flask', target: target.split(':')[0] ?? 'app', args, isPath: target.endsWith('.py') };
  }
  if (pythonProgram.test(name)) return pythonInvocation(args);
  if (name.endsWith('.py')) return { server: 'python', target: first.text, args, isPath: true };
  return undefined;
}

const wordOf = (text: string, line: number): ShellWord => ({ text, line, variables: [], quoted: true });

class Starter {
  readonly commands: StartCommand[] = [];
  unknown = false;
  private readonly context: BuildContext;
  private readonly image: Image;

  constructor(context: BuildContext, image: Image) {
    this.context = context;
    this.image = image;
  }

  async script(script: ShellScript, file: string, cwd: string, depth: number): Promise<string> {
    let folder = cwd;
    const variables = new Map<string, string>(this.image.environment);
    for (const command of script.commands) {
      for (const { name, value } of command.assigns) variables.set(name, value.text);
      const words = command.words.map((word) => ({
        ...word,
        text: word.text.replace(
          /\$(\w+)|\$\{(\w+)\}/g,
          (whole, a?: string, b?: string) => variables.get(a ?? b ?? '') ?? whole,
        ),
      }));
      if (words[0]?.text === 'cd' && words[1]) folder = posix.resolve(folder, words[1].text);
      else if (words[0]?.text === 'export') continue;
      else if (words.length > 0) await this.command({ ...command, words }, file, folder, variables, depth);
    }
    return folder;
  }

  private async command(
    command: Pick<ShellCommand, 'words' | 'line'>,
    file: string,
    cwd: string,
    variables: ReadonlyMap<string, string>,
    depth: number,
  ): Promise<void> {
    const words = unwrap(command.words);
    const [first, ...rest] = words;
    if (first === undefined || depth > 4) return;
    const isShell = shells.test(first.text);
    const option = rest.findIndex(({ text }) => /^-[a-z]*c$/.test(text));
    if (isShell && option >= 0) {
      const inner = rest[option + 1];
      if (inner)
        await this.script(
          await parseShell(inner.text, inner.line, this.image.environment),
          file,
          cwd,
          depth + 1,
        );
      return;
    }
    const sourced = first.text === 'source' || first.text === '.';
    const scriptPath =
      isShell || sourced
        ? rest.find(({ text }) => !text.startsWith('-'))?.text
        : /\.sh$|^\.?\//.test(first.text)
          ? first.text
          : undefined;
    if (
      scriptPath !== undefined &&
      !pythonProgram.test(scriptPath) &&
      !/\.py$|\/(uvicorn|gunicorn|hypercorn)$/.test(scriptPath)
    ) {
      const located = this.image.locate(posix.resolve(cwd, scriptPath));
      const text = located.from === 'context' ? await this.context.text(located.path) : undefined;
      if (text !== undefined && located.from === 'context') {
        await this.script(await parseShell(text, 1, this.image.environment), located.path, cwd, depth + 1);
        return;
      }
      if (!sourced) this.unknown = true;
    }
    this.commands.push({ words, file, line: command.line, cwd, variables });
  }

  async exec(words: readonly string[], instruction: DockerInstruction, cwd: string): Promise<void> {
    const { file } = this.image.dockerfile;
    const list = words.map((text) => wordOf(text, instruction.line));
    await this.command({ words: list, line: instruction.line }, file, cwd, this.image.environment, 0);
  }
}

const lastOf = (instructions: readonly DockerInstruction[], keyword: string) =>
  instructions.findLast((instruction) => instruction.keyword === keyword);

/** Says what the image starts: its last CMD and ENTRYPOINT, through shells, scripts and launchers. */
export async function findServed(context: BuildContext, image: Image): Promise<Served | undefined> {
  const entrypoint = lastOf(image.stage.instructions, 'ENTRYPOINT');
  const cmd = lastOf(image.stage.instructions, 'CMD');
  const instruction = entrypoint?.exec && cmd ? cmd : (entrypoint ?? cmd);
  if (instruction === undefined) return undefined;
  const starter = new Starter(context, image);
  const { file } = image.dockerfile;
  if (entrypoint?.exec) {
    const extra = cmd ? (cmd.exec ?? ['/bin/sh', '-c', cmd.body]) : [];
    await starter.exec([...entrypoint.exec, ...extra], instruction, image.workdir);
  } else if (instruction.exec) await starter.exec(instruction.exec, instruction, image.workdir);
  else await starter.script(await shellOf(instruction), file, image.workdir, 0);
  const { commands, unknown } = starter;
  const none = { instruction, commands, args: [], importRoot: image.workdir, missing: false, unknown };
  const candidates: Candidate[] = [];
  for (const command of commands) {
    const invocation = serverInvocation(command.words);
    if (invocation) candidates.push({ command, invocation, ...findModule(image, command, invocation) });
  }
  const chosen = await chooseServer(context, candidates);
  if (chosen === undefined) return none;
  const { command, invocation, module, importRoot, missing } = chosen;
  return {
    ...none,
    command,
    server: invocation.server,
    args: invocation.args,
    target: invocation.target,
    importRoot,
    missing,
    ...(invocation.app === undefined ? {} : { app: invocation.app }),
    ...(module === undefined ? {} : { module }),
  };
}

interface FoundModule {
  readonly module?: string;
  readonly importRoot: string;
  readonly missing: boolean;
}

interface Candidate extends FoundModule {
  readonly command: StartCommand;
  readonly invocation: Invocation;
}

/** The last command that names an application; else the last Python program that looks like a server; else the last. */
async function chooseServer(
  context: BuildContext,
  candidates: readonly Candidate[],
): Promise<Candidate | undefined> {
  const named = candidates.findLast(({ invocation }) => invocation.server !== 'python');
  if (named) return named;
  for (const candidate of [...candidates].reverse()) {
    const text = candidate.module === undefined ? undefined : await context.text(candidate.module);
    if (text !== undefined && servesHttp(text)) return candidate;
  }
  return candidates.at(-1);
}

/** Words that a program which answers HTTP cannot do without. */
export function servesHttp(text: string): boolean {
  return /uvicorn|fastapi|flask|starlette|aiohttp|http\.server|tornado|sanic|litserve|bottle|gunicorn|hypercorn|robyn|falcon/i.test(
    text,
  );
}

function optionValue(args: readonly ShellWord[], name: string): string | undefined {
  const at = args.findIndex(({ text }) => text === name || text.startsWith(`${name}=`));
  if (at < 0) return undefined;
  const text = args[at]?.text ?? '';
  return text.includes('=') ? text.slice(name.length + 1) : args[at + 1]?.text;
}

function findModule(image: Image, command: StartCommand, invocation: Invocation): FoundModule {
  const { target, isPath } = invocation;
  if (target.includes('$')) return { importRoot: command.cwd, missing: false };
  if (isPath) {
    const path = posix.resolve(command.cwd, target);
    const located = image.locate(path);
    const importRoot = posix.dirname(path);
    if (located.from === 'context') return { module: located.path, importRoot, missing: false };
    return { importRoot, missing: located.from === 'nowhere' };
  }
  const start = optionValue(invocation.args, '--app-dir') ?? optionValue(invocation.args, '--chdir');
  const roots = [
    start === undefined ? command.cwd : posix.resolve(command.cwd, start),
    ...(command.variables.get('PYTHONPATH') ?? '').split(':').filter((root) => root.startsWith('/')),
  ];
  const relative = target.replaceAll('.', '/');
  let missing = true;
  for (const root of roots) {
    for (const name of [`${relative}.py`, `${relative}/__init__.py`, `${relative}/__main__.py`]) {
      const located = image.locate(posix.join(root, name));
      if (located.from === 'context') return { module: located.path, importRoot: root, missing: false };
      if (located.from === 'build') missing = false;
    }
  }
  return { importRoot: roots[0] ?? command.cwd, missing };
}
