import { stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { describeError, fromSystemError, plural, UserError, walkTree } from '../base/index.ts';
import { type FolderContent, type FolderEvidence, lookAt } from './evidence.ts';
import { readSubmissionFile, submissionFileName } from './submission-file.ts';
import type { Track } from './track-schema.ts';
import { defaultTrack, findTrack, loadTracks } from './tracks.ts';
import type { Submission } from './types.ts';

/** Bounds of the search: it runs when a folder is opened and must not notice its size. */
const bounds = { depth: 6, entries: 20_000 };

/** Folders in which no submission of the user lies. */
const skippedFolders =
  /^(\..+|node_modules|__pycache__|venv|env|site-packages|build|dist|outputs?|out|checkpoints|models|data|benchmark_output|wandb|.+\.egg-info)$/;

/** Names in every folder that is searched, by its path relative to the root; the root is ''. */
async function listFolders(root: string): Promise<Map<string, FolderContent>> {
  const tree = new Map<string, { files: string[]; folders: string[] }>([['', { files: [], folders: [] }]]);
  const skip = (_: string, name: string) => skippedFolders.test(name);
  let seen = 0;
  for await (const { path, kind } of walkTree(root, { depth: bounds.depth, skip, onUnreadable: () => {} })) {
    if (++seen > bounds.entries) break;
    const parent = tree.get(dirname(path) === '.' ? '' : dirname(path));
    const name = basename(path);
    if (kind === 'file') parent?.files.push(name);
    if (kind !== 'folder') continue;
    parent?.folders.push(name);
    if (!skip(path, name)) tree.set(path, { files: [], folders: [] });
  }
  return tree;
}

/** What submission.yaml says; throws a usage error when it is not valid or names a track that does not fit. */
async function readChoice(folder: string, tracks: readonly Track[]) {
  const own = await readSubmissionFile(folder);
  const track = own?.track === undefined ? undefined : findTrack(tracks, own.track);
  if (track && own?.kind && track.kind !== own.kind) {
    throw new UserError(`The track ${track.id} is for ${track.kind}, the submission for ${own.kind}`, {
      place: { file: join(folder, submissionFileName), field: 'track' },
    });
  }
  return { name: own?.name, kind: own?.kind ?? track?.kind, track };
}

async function describe(
  folder: string,
  found: FolderEvidence,
  tracks: readonly Track[],
  nested: boolean,
): Promise<Submission | undefined> {
  let choice: Partial<Awaited<ReturnType<typeof readChoice>>> = {};
  let problem: string | undefined;
  try {
    choice = await readChoice(folder, tracks);
  } catch (error) {
    // One broken file among several submissions must not hide the others.
    if (!nested) throw error;
    problem = describeError(error);
  }
  const kind = choice.kind ?? found.kind;
  if (kind === undefined) return undefined;
  return {
    folder,
    name: choice.name ?? basename(folder),
    kind,
    track: choice.track ?? defaultTrack(tracks, kind),
    evidence: found.evidence,
    ...(problem ? { problem } : {}),
    ...(kind === 'merging' && found.kit ? { kit: found.kit } : {}),
  };
}

/**
 * Finds the submissions in and below a folder by their files; needs none of ours. submission.yaml overrides what was
 * found: name, kind and track. A folder that holds none gives an empty list. Throws a usage error for a folder that
 * cannot be read and for a submission.yaml that is not valid.
 */
export async function detectSubmissions(folder: string, tracks?: readonly Track[]): Promise<Submission[]> {
  const root = resolve(folder);
  const info = await stat(root).catch((error: unknown) => {
    throw fromSystemError(error, 'The folder cannot be read', root);
  });
  if (!info.isDirectory()) throw new UserError('A file is no submission', { place: { file: root } });
  const known = tracks ?? (await loadTracks({ folder: root }));
  const tree = await listFolders(root);
  const outer: string[] = [];
  const submissions: Submission[] = [];
  for (const [path, content] of [...tree].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const inner = tree.get(path === '' ? 'llm_merging' : `${path}/llm_merging`);
    const found = await lookAt(root, path, content, inner);
    const nested = outer.some((one) => one === '' || path.startsWith(`${one}/`));
    if (found.evidence.length === 0 || (nested && !found.strong)) continue;
    const submission = await describe(join(root, path), found, known, path !== '');
    if (submission === undefined) continue;
    outer.push(path);
    submissions.push(submission);
  }
  return submissions;
}

/**
 * The submission that a folder itself is, or the only one below it. Throws a usage error that says what was looked for
 * when there is none, and one that names them all when there are several.
 */
export async function detectSubmission(folder: string, tracks?: readonly Track[]): Promise<Submission> {
  const root = resolve(folder);
  const found = await detectSubmissions(root, tracks);
  const [first, second] = found;
  if (first === undefined) throw noSubmission(root);
  if (first.folder === root || second === undefined) return first;
  throw new UserError(`The folder holds ${plural(found.length, 'submission')}`, {
    place: { file: root },
    remedy: `Choose one: ${found.map((one) => one.folder).join(', ')}.`,
  });
}

/** The error for a folder in which nothing shows a submission. */
export function noSubmission(folder: string): UserError {
  return new UserError('The folder is no submission', {
    place: { file: folder },
    remedy:
      'Looked for a Dockerfile, a Python server with a /process route, llm_merging/, setup.py beside merging/, a recipe.yml and a submission.yaml, here and below. Create a submission with init.',
  });
}

/** What `detect` prints: the submission of the folder itself, or the first below it, and all that were found. */
export function describeSubmissions(folder: string, submissions: readonly Submission[]) {
  const root = resolve(folder);
  const [main] = submissions;
  if (main === undefined) throw noSubmission(root);
  const plain = submissions.map(({ track, ...submission }) => ({ ...submission, track: track.id }));
  const lines = submissions.flatMap(({ folder: path, name, kind, track, evidence, kit }) => [
    `${path === root ? '.' : path}: ${name}, ${kind}${kit ? ` (kit of ${kit === 'july' ? 'July' : 'September'} 2024)` : ''}, ${track.name}`,
    ...evidence.map(({ file, line, shows }) => `  ${file}${line === undefined ? '' : `:${line}`}: ${shows}`),
  ]);
  return { json: { ...plain[0], submissions: plain }, text: lines.join('\n') };
}
