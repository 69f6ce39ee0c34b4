import { posix } from 'node:path';
import {
  type DockerfileModel,
  type DockerInstruction,
  type DockerStage,
  shellOf,
  wordsOf,
} from './parsers/dockerfile.ts';
import { cleanPath, dockerPattern, type Ignores } from './parsers/dockerignore.ts';
import type { ShellCommand } from './parsers/shell.ts';
import type { SubmissionEntry } from './source.ts';

/** What a build sees of a submission's files. */
export interface BuildContext {
  readonly entries: readonly SubmissionEntry[];
  entry(path: string): SubmissionEntry | undefined;
  isFolder(path: string): boolean;
  text(path: string): Promise<string | undefined>;
  dockerignore(dockerfile?: string): Promise<Ignores>;
}

/** Where a path of the image comes from. */
export type Located =
  | { readonly from: 'context'; readonly path: string }
  /** Made by the build or part of the base image, as far as one can tell: what is in it is not known. */
  | { readonly from: 'build' }
  | { readonly from: 'nowhere' };

/** The sources of one COPY or ADD. */
export interface CopySource {
  readonly text: string;
  /** Paths of the context that it stands for; empty when there are none. */
  readonly paths: readonly string[];
  /** Not of the context (`--from`, a URL, a heredoc) or not knowable (a variable). */
  readonly elsewhere: boolean;
  /** Where the instruction's own line stands. */
  readonly line: number;
}

type Layer =
  | { readonly kind: 'file' | 'folder'; readonly to: string; readonly path: string }
  | { readonly kind: 'unknown'; readonly to: string };

/** Images whose content is known well enough: nothing of a submission lies in them. */
const plainBases =
  /^(?:docker\.io\/|library\/|(?:[\w.-]+\/)?)?(?:pytorch\/pytorch|nvidia\/cuda|nvcr\.io\/nvidia\/.*|python|ubuntu|debian|alpine|continuumio\/.*|mambaorg\/.*|condaforge\/.*|huggingface\/transformers-.*|tensorflow\/tensorflow|ghcr\.io\/pytorch\/.*|winglian\/axolotl.*|scratch|rust|nvidia\/.*)(?::|@|$)/;

/** Commands after which new files lie in the working folder, wherever they come from. */
const unpackers = new Set([
  'unzip',
  'tar',
  '7z',
  'gunzip',
  'aria2c',
  'gdown',
  'git-lfs',
  'make',
  'aws',
  'gsutil',
  'rclone',
]);

/** The file system of an image, built from its Dockerfile layer by layer. */
export class Image {
  readonly dockerfile: DockerfileModel;
  readonly stage: DockerStage;
  /** Variables of ENV and ARG at the end of the stage. */
  readonly environment: ReadonlyMap<string, string>;
  readonly workdir: string;
  /** The base may hold files of the submission. */
  readonly ownBase: boolean;
  private readonly layers: readonly Layer[];
  private readonly context: BuildContext;
  private readonly ignored: Ignores;

  constructor(parts: {
    dockerfile: DockerfileModel;
    stage: DockerStage;
    environment: ReadonlyMap<string, string>;
    workdir: string;
    ownBase: boolean;
    layers: readonly Layer[];
    context: BuildContext;
    ignored: Ignores;
  }) {
    this.dockerfile = parts.dockerfile;
    this.stage = parts.stage;
    this.environment = parts.environment;
    this.workdir = parts.workdir;
    this.ownBase = parts.ownBase;
    this.layers = parts.layers;
    this.context = parts.context;
    this.ignored = parts.ignored;
  }

  /** Where an absolute path of the image comes from; later layers count first. */
  locate(path: string): Located {
    for (const layer of [...this.layers].reverse()) {
      if (layer.kind === 'unknown') {
        if (path === layer.to || isBelow(path, layer.to)) return { from: 'build' };
      } else if (layer.kind === 'file') {
        if (path === layer.to) return { from: 'context', path: layer.path };
      } else if (path === layer.to || isBelow(path, layer.to)) {
        const inside = posix.relative(layer.to, path);
        const source = layer.path === '' ? inside : posix.join(layer.path, inside);
        if (source === '' || (this.context.entry(source) && !this.ignored(source))) {
          return { from: 'context', path: source };
        }
        if (this.underSubmodule(source)) return { from: 'build' };
      }
    }
    return this.ownBase ? { from: 'build' } : { from: 'nowhere' };
  }

  /** A path of the image that the context's file gets; undefined when it is not copied. */
  imagePathOf(file: string): string | undefined {
    if (this.ignored(file)) return undefined;
    for (const layer of [...this.layers].reverse()) {
      if (layer.kind === 'unknown') continue;
      if (layer.kind === 'file' && layer.path === file) return layer.to;
      if (layer.kind === 'folder' && (layer.path === '' || isBelow(file, layer.path))) {
        return posix.join(layer.to, layer.path === '' ? file : posix.relative(layer.path, file));
      }
    }
    return undefined;
  }

  private underSubmodule(path: string): boolean {
    return [...submodulesAbove(path)].some((folder) => isEmptyFolder(this.context, folder));
  }
}

function* submodulesAbove(path: string): Generator<string> {
  for (let at = path; at !== '' && at !== '.'; at = posix.dirname(at)) yield at;
}

/** A folder without files: a submodule that was not initialised looks so. */
function isEmptyFolder(context: BuildContext, folder: string): boolean {
  return context.isFolder(folder) && !context.entries.some(({ path }) => isBelow(path, folder));
}

export function isBelow(path: string, folder: string): boolean {
  return folder === '' || folder === '/' ? path !== folder : path.startsWith(`${folder}/`);
}

/** What the sources of a COPY or ADD stand for in the build context. */
export function copySources(
  context: BuildContext,
  instruction: DockerInstruction,
  ignored: Ignores,
): { sources: CopySource[]; target: string } {
  const words = wordsOf(instruction).map((word) => instruction.expand(word));
  const target = words.at(-1) ?? '';
  const { line } = instruction;
  const fromElsewhere = instruction.flags.some(({ name }) => name === 'from');
  const sources = words.slice(0, -1).map((text): CopySource => {
    const elsewhere =
      fromElsewhere || text.startsWith('<<') || /^[a-z+]+:\/\/|^git@/i.test(text) || text.includes('$');
    if (elsewhere) return { text, paths: [], elsewhere, line };
    const clean = cleanPath(text);
    if (clean === '') return { text, paths: [''], elsewhere: false, line };
    const pattern = /[*?[]/.test(clean) ? dockerPattern(clean) : undefined;
    const paths = pattern
      ? context.entries.filter(({ path }) => pattern.test(path)).map(({ path }) => path)
      : context.entry(clean)
        ? [clean]
        : [];
    const kept = paths.filter((path) => !isIgnored(context, path, ignored));
    return { text, paths: kept, elsewhere: false, line };
  });
  return { sources, target };
}

/** A folder is left out only when all that is in it is. */
function isIgnored(context: BuildContext, path: string, ignored: Ignores): boolean {
  if (!ignored(path)) return false;
  return !context.entries.some((entry) => isBelow(entry.path, path) && !ignored(entry.path));
}

class Builder {
  readonly layers: Layer[] = [];
  readonly folders = new Set<string>(['/']);
  workdir = '/';
  private readonly context: BuildContext;
  private readonly ignored: Ignores;

  constructor(context: BuildContext, ignored: Ignores) {
    this.context = context;
    this.ignored = ignored;
  }

  absolute(path: string, from = this.workdir): string {
    const resolved = posix.resolve('/', from, path);
    return resolved.length > 1 ? resolved.replace(/\/+$/, '') : resolved;
  }

  async add(instruction: DockerInstruction): Promise<void> {
    switch (instruction.keyword) {
      case 'WORKDIR': {
        const [path = '/'] = wordsOf(instruction);
        this.workdir = this.absolute(instruction.expand(path));
        this.folders.add(this.workdir);
        return;
      }
      case 'COPY':
      case 'ADD':
        this.copy(instruction);
        return;
      case 'RUN': {
        let cwd = this.workdir;
        const commands = instruction.exec
          ? [commandOf(instruction.exec, instruction.line)]
          : (await shellOf(instruction)).commands;
        for (const command of commands) cwd = this.run(command, cwd);
        return;
      }
      default:
    }
  }

  private copy(instruction: DockerInstruction): void {
    const { sources, target } = copySources(this.context, instruction, this.ignored);
    const to = this.absolute(target);
    const intoFolder = /(^|\/)\.{0,2}$/.test(target) || sources.length > 1 || this.folders.has(to);
    for (const source of sources) {
      if (source.elsewhere) {
        this.layers.push({ kind: 'unknown', to });
        continue;
      }
      for (const path of source.paths) {
        if (this.context.isFolder(path)) {
          this.layers.push({ kind: 'folder', to, path });
          this.folders.add(to);
          continue;
        }
        const inside = posix.join(to, posix.basename(path));
        if (intoFolder || source.paths.length > 1) {
          this.layers.push({ kind: 'file', to: inside, path });
          this.folders.add(to);
        } else {
          // Whether the target is a folder of the base image is not known: both places count.
          if (posix.extname(to) === '') this.layers.push({ kind: 'file', to: inside, path });
          this.layers.push({ kind: 'file', to, path });
        }
      }
    }
  }

  private unknown(path: string, cwd: string): void {
    this.layers.push({ kind: 'unknown', to: this.absolute(path, cwd) });
  }

  /** What a command of the build leaves behind; returns the folder in which the next one runs. */
  private run(command: ShellCommand, cwd: string): string {
    const words = command.words.map(({ text }) => text).filter((text) => text !== 'sudo');
    const [name = '', ...rest] = words;
    const plain = rest.filter((word) => !word.startsWith('-'));
    for (const { operator, target } of command.redirects) {
      if (operator.includes('>')) this.unknown(target.text, cwd);
    }
    const last = plain.at(-1);
    switch (posix.basename(name)) {
      case 'cd':
      case 'pushd':
        return plain[0] === undefined ? cwd : this.absolute(plain[0], cwd);
      case 'mkdir':
        for (const path of plain) this.folders.add(this.absolute(path, cwd));
        return cwd;
      case 'git': {
        if (!plain.includes('clone')) {
          if (/^(pull|checkout|submodule|lfs|init)$/.test(plain[0] ?? '')) this.unknown('.', cwd);
          return cwd;
        }
        const [url = '', folder] = plain
          .slice(plain.indexOf('clone') + 1)
          .filter((word) => !/^\d+$/.test(word));
        this.unknown(folder ?? posix.basename(url).replace(/\.git$/, ''), cwd);
        return cwd;
      }
      case 'cp':
      case 'mv':
      case 'ln':
      case 'rsync':
      case 'install':
        if (last !== undefined) this.unknown(last, cwd);
        return cwd;
      case 'wget':
      case 'curl': {
        const output = rest[rest.findIndex((word) => /^(-O|-o|--output|--output-document)$/.test(word)) + 1];
        const named = rest.some((word) => /^(-O|-o|--output|--output-document)$/.test(word));
        const url = plain.find((word) => word.includes('/'));
        if (named && output && !/^https?:/.test(output)) this.unknown(output, cwd);
        else if (url) this.unknown(posix.basename(url.replace(/[?#].*$/, '')) || '.', cwd);
        return cwd;
      }
      default:
        if (unpackers.has(posix.basename(name))) this.unknown('.', cwd);
        return cwd;
    }
  }
}

function commandOf(words: readonly string[], line: number): ShellCommand {
  return {
    words: words.map((text) => ({ text, line, variables: [], quoted: true })),
    assigns: [],
    redirects: [],
    background: false,
    line,
    conditional: false,
  };
}

/** Builds the last stage of a Dockerfile and the stages of the same file that it begins with. */
export async function buildImage(
  context: BuildContext,
  dockerfile: DockerfileModel,
): Promise<Image | undefined> {
  const stage = dockerfile.stages.at(-1);
  if (stage === undefined) return undefined;
  const ignored = await context.dockerignore(dockerfile.file);
  const chain: DockerStage[] = [stage];
  for (let base = stage.base; ; ) {
    const parent = dockerfile.stages.find(({ name }) => name !== undefined && name === base);
    if (parent === undefined || chain.includes(parent)) break;
    chain.unshift(parent);
    base = parent.base;
  }
  const builder = new Builder(context, ignored);
  for (const { instructions } of chain) for (const one of instructions) await builder.add(one);
  const environment = new Map<string, string>();
  const last = stage.instructions.at(-1);
  for (const { instructions } of chain) {
    for (const { keyword, body } of instructions) {
      if (keyword !== 'ENV' && keyword !== 'ARG') continue;
      for (const [, name] of body.matchAll(/(?:^|\s)(\w+)(?==|\s)/g)) {
        const value = name === undefined ? undefined : last?.expand(`\${${name}}`);
        if (name && value !== undefined && value !== `\${${name}}`) environment.set(name, value);
      }
    }
  }
  const base = chain[0]?.base ?? '';
  return new Image({
    dockerfile,
    stage,
    environment,
    workdir: builder.workdir,
    ownBase: !plainBases.test(base) || base.includes('$'),
    layers: builder.layers,
    context,
    ignored,
  });
}
