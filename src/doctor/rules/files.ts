import { basename } from 'node:path';
import { formatBytes } from '../../base/index.ts';
import { isDockerfileName } from '../../submission/index.ts';
import type { DoctorContext } from '../context.ts';
import { type Problem, type Rule, sources } from '../rule.ts';

const junkName =
  /^(\.DS_Store|Thumbs\.db|__MACOSX|\._.+|__pycache__|\.ipynb_checkpoints|\.idea|.+\.sw[op]|.+\.pyc)$/;
const weightName = /\.(bin|safetensors|pth|gguf|ggml|ckpt)$/i;
/** Files named like weights that are none: indexes, vocabularies, placeholders of Git LFS. */
const smallestWeights = 10_000;

/** The outermost junk, by what it is called. */
export function junkIn(context: DoctorContext): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const { path } of context.entries) {
    const parts = path.split('/');
    const at = parts.findIndex((part) => junkName.test(part));
    const name = parts[at];
    if (name === undefined) continue;
    const outermost = parts.slice(0, at + 1).join('/');
    const kind = /\.pyc$/.test(name) ? '*.pyc' : /^\._/.test(name) ? '._*' : name;
    const known = found.get(kind) ?? [];
    if (!known.includes(outermost)) found.set(kind, [...known, outermost]);
  }
  return found;
}

const some = (paths: readonly string[]) =>
  paths.length > 3 ? `${paths.slice(0, 3).join(', ')} and ${paths.length - 3} more` : paths.join(', ');

function dockerfileName(context: DoctorContext): Problem[] {
  const names = context.dockerfileNames;
  if (names.includes('Dockerfile')) return [];
  const lower = names.find((name) => name.toLowerCase() === 'dockerfile');
  if (lower) {
    return [
      {
        file: '.',
        severity: 'warning',
        message: `The Dockerfile is called ${lower}; the organizers build a file named Dockerfile.`,
        fix: `Rename ${lower} to Dockerfile.`,
      },
    ];
  }
  const variants = names.length > 0 ? `; there is ${some(names)}` : '';
  return [{ file: '.', message: `No file named Dockerfile${variants}.` }];
}

function severalDockerfiles(context: DoctorContext): Problem[] {
  const all = context.files.map(({ path }) => path).filter((path) => isDockerfileName(basename(path)));
  if (all.length < 2) return [];
  const deeper = all.some((path) => path.includes('/') && basename(path) === 'Dockerfile');
  const noneAtRoot = !all.includes('Dockerfile');
  return [
    {
      file: '.',
      severity: deeper || noneAtRoot ? 'warning' : 'info',
      message: `${all.length} Dockerfiles: ${some(all)}. The leaderboard bot takes the first that it meets.`,
    },
  ];
}

export const fileRules: readonly Rule[] = [
  {
    id: 'dockerfile-name',
    severity: 'error',
    title: 'No file named exactly Dockerfile',
    why: 'The organizers run `docker build` in the folder, which looks for a file of that name.',
    source: sources.pipeline,
    fix: 'Name the Dockerfile that serves the model `Dockerfile`.',
    kinds: ['efficiency'],
    check: async (context) => dockerfileName(context),
  },
  {
    id: 'dockerfile-multiple',
    severity: 'info',
    title: 'Several Dockerfiles',
    why: 'A submission has a single Dockerfile; the leaderboard bot builds the first one that a recursive scan meets.',
    source: sources.bot,
    fix: 'Leave the others out of the archive.',
    kinds: ['efficiency'],
    check: async (context) => severalDockerfiles(context),
  },
  {
    id: 'path-has-space',
    severity: 'error',
    title: 'The folder’s path contains a space',
    why: 'The organizers name the image after the path; a name with a space is none.',
    source: sources.pipeline,
    fix: 'Rename the folder, with an underscore in place of the space.',
    kinds: ['efficiency'],
    async check(context) {
      const name = context.name;
      return /\s/.test(name) ? [{ file: '.', message: `The folder's name "${name}" contains a space.` }] : [];
    },
  },
  {
    id: 'junk-in-context',
    severity: 'info',
    title: 'Leftovers of editors, systems and caches',
    why: 'They make the archive larger and can carry what was meant to stay on your machine.',
    source: sources.bot,
    fix: 'Delete them and add them to .gitignore.',
    kinds: ['merging', 'efficiency'],
    async check(context) {
      const merging = context.kind === 'merging';
      return (
        [...junkIn(context)]
          // In a merging submission they are build products, which a rule of its own names.
          .filter(([kind]) => !(merging && (kind === '__pycache__' || kind === '*.pyc')))
          .map(([, paths]) => ({ file: '.', message: `Leftovers in the submission: ${some(paths)}.` }))
      );
    },
  },
  {
    id: 'weights-in-context',
    severity: 'warning',
    title: 'Model weights lie in the submission',
    why: 'Weights must be downloaded while the image is built or when it starts, not be part of the repository.',
    source: sources.pipeline,
    fix: 'Publish them and download them in the Dockerfile.',
    kinds: ['efficiency'],
    check: async (context) =>
      context.files
        .filter(({ path, size }) => weightName.test(path) && size >= smallestWeights)
        .map(({ path, size }) => ({
          file: path,
          message: `Model weights (${formatBytes(size)}) lie in the submission.`,
        })),
  },
];
