import { readFile } from 'node:fs/promises';
import { basename, dirname, join, posix } from 'node:path';
import ignore, { type Ignore } from 'ignore';
import { isDockerfileName, type Track } from '../submission/index.ts';

/** What no track wants, with the reason that people are shown. .gitignore patterns. */
const never: readonly (readonly [why: string, ...patterns: string[]])[] = [
  ['version control', '.git', '.hg/', '.svn/'],
  ['records of Submission Studio', '.submission/'],
  ['evaluation runs', '/benchmark_output/'],
  ['Python environment', '.venv/', 'node_modules/', '.conda/'],
  [
    'cache',
    '__pycache__/',
    '*.pyc',
    '.pytest_cache/',
    '.mypy_cache/',
    '.ruff_cache/',
    '.ipynb_checkpoints/',
    '.cache/',
  ],
  [
    'leftover of an editor or system',
    '.DS_Store',
    '__MACOSX/',
    '._*',
    'Thumbs.db',
    '.idea/',
    '.vscode/',
    '*.swp',
    '*.swo',
  ],
  ['log of Weights & Biases', '/wandb/'],
];

const matcher = (patterns: readonly string[]) => ignore({ allowRelativePaths: true }).add([...patterns]);
const neverMatchers = never.map(([why, ...patterns]) => ({ why, patterns: matcher(patterns) }));

async function readPatterns(path: string): Promise<Ignore | undefined> {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  return text === undefined ? undefined : ignore().add(text);
}

/** Says of a path why it is left out; undefined when it is in. A folder's path ends with `/`. */
export class LeaveOut {
  private readonly folder: string;
  private readonly track: Track;
  private readonly own: ReadonlySet<string>;
  private readonly oneDockerfile: boolean;
  private readonly trackPatterns: Ignore;
  private readonly gitignores = new Map<string, Promise<Ignore | undefined>>();
  private dockerignore: Promise<(path: string) => boolean> | undefined;

  /**
   * @param own paths of earlier packages and of the one that is written now
   * @param oneDockerfile leave out every Dockerfile but the one at the root
   */
  constructor(folder: string, track: Track, own: readonly string[], oneDockerfile: boolean) {
    this.folder = folder;
    this.track = track;
    this.own = new Set(own);
    this.oneDockerfile = oneDockerfile;
    this.trackPatterns = matcher(track.package.leaveOut);
  }

  async reason(path: string, isEnvironment: boolean): Promise<string | undefined> {
    const plain = path.replace(/\/$/, '');
    if (this.own.has(plain) || /^\..+\.[0-9a-f]{8}\.tmp$/.test(basename(plain))) return 'package';
    if (isEnvironment) return 'Python environment';
    const known = neverMatchers.find(({ patterns }) => patterns.ignores(path));
    if (known) return known.why;
    if (this.trackPatterns.ignores(path)) return `not for ${this.track.name}`;
    if (await this.gitignored(path)) return '.gitignore';
    if (this.track.kind !== 'efficiency') return undefined;
    if (await this.dockerignored(plain)) return '.dockerignore';
    // The bot builds the first Dockerfile that it meets, so there must be one only.
    const another = this.oneDockerfile && isDockerfileName(basename(plain)) && plain !== 'Dockerfile';
    return another ? 'another Dockerfile' : undefined;
  }

  /** Every .gitignore from the root down to the path's folder; the deepest that says something decides. */
  private async gitignored(path: string): Promise<boolean> {
    const parents = [''];
    for (const part of dirname(path).split('/')) {
      if (part !== '.' && part !== '') parents.push(posix.join(parents.at(-1) ?? '', part));
    }
    let ignored = false;
    for (const parent of parents) {
      let patterns = this.gitignores.get(parent);
      if (patterns === undefined) {
        patterns = readPatterns(join(this.folder, parent, '.gitignore'));
        this.gitignores.set(parent, patterns);
      }
      const result = (await patterns)?.test(parent === '' ? path : path.slice(parent.length + 1));
      if (result?.ignored) ignored = true;
      else if (result?.unignored) ignored = false;
    }
    return ignored;
  }

  private async dockerignored(path: string): Promise<boolean> {
    if (isDockerfileName(basename(path)) || path.endsWith('.dockerignore')) return false;
    this.dockerignore ??= this.readDockerignore();
    return (await this.dockerignore)(path);
  }

  private async readDockerignore() {
    const { parseDockerignore } = await import('../doctor/index.ts');
    const read = (name: string) => readFile(join(this.folder, name), 'utf8').catch(() => undefined);
    const text = (await read('Dockerfile.dockerignore')) ?? (await read('.dockerignore'));
    return text === undefined ? () => false : parseDockerignore(text);
  }
}
