import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { folderAtomic, fromSystemError, mediaPath, UserError, walkTree } from '../base/index.ts';
import type { Track } from './track-schema.ts';
import { defaultTrack, findTrack, loadTracks } from './tracks.ts';
import type { SubmissionKind } from './types.ts';

export interface ScaffoldOptions {
  readonly kind: SubmissionKind;
  /** Must not exist, or be empty. */
  readonly folder: string;
  /** For people; the folder's name unless told. */
  readonly name?: string;
  /** Also the tiny demo checkpoints, and a recipe or a fine-tune for them. */
  readonly demo?: boolean;
  /** Id of the track; the first of the kind unless told. */
  readonly track?: string;
}

/** What was made: files relative to the folder, sorted. */
export interface Scaffolded {
  readonly kind: SubmissionKind;
  readonly track: string;
  readonly files: readonly string[];
}

/** Files whose name in the template would act on the template itself. */
const realNames: Readonly<Record<string, string>> = {
  gitignore: '.gitignore',
  dockerignore: '.dockerignore',
};

/** Demo material by where it goes, as paths below media/demo. */
const demoMaterial: Readonly<Record<SubmissionKind, Readonly<Record<string, string>>>> = {
  merging: {
    'models/base': 'base',
    'models/expert-1': 'expert-1',
    'models/expert-2': 'expert-2',
    'recipe.yml': 'recipe.yml',
  },
  efficiency: {
    'models/base': 'base',
    'data/task1.jsonl': 'train/task1.jsonl',
    'data/task2.jsonl': 'train/task2.jsonl',
  },
};

/** Files of a template that its demo does without. */
const notInDemo: Readonly<Record<SubmissionKind, readonly string[]>> = {
  merging: [],
  efficiency: ['model.json', 'download.py'],
};

/** Files in which `{{name}}` and the like are filled in. */
const filledIn = /\.(md|ya?ml)$/;

function valuesFor(name: string, track: Track): Readonly<Record<string, string>> {
  return {
    name,
    quotedName: JSON.stringify(name),
    track: track.id,
    trackName: track.name,
    kit: track.links.kit?.url ?? track.source,
    site: track.links.site?.url ?? track.source,
  };
}

async function copyTemplate(
  template: string,
  target: string,
  values: Readonly<Record<string, string>>,
): Promise<void> {
  const source = mediaPath(`templates/${template}/`);
  for await (const { path, kind } of walkTree(source, { skip: (_, name) => name === '__pycache__' })) {
    if (kind !== 'file') continue;
    const to = join(target, dirname(path), realNames[basename(path)] ?? basename(path));
    await mkdir(dirname(to), { recursive: true });
    const bytes = await readFile(join(source, path));
    const filled = filledIn.test(path)
      ? bytes.toString('utf8').replace(/\{\{(\w+)\}\}/g, (whole, key: string) => values[key] ?? whole)
      : bytes;
    await writeFile(to, filled);
  }
}

async function copyDemo(kind: SubmissionKind, target: string): Promise<void> {
  for (const [to, from] of Object.entries(demoMaterial[kind])) {
    await cp(mediaPath(`demo/${from}`), join(target, to), { recursive: true });
  }
  for (const file of notInDemo[kind]) await rm(join(target, file));
}

/** Names in a folder; undefined when it does not exist. */
async function namesIn(folder: string): Promise<string[] | undefined> {
  try {
    return await readdir(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw fromSystemError(error, 'The folder cannot be created', folder);
  }
}

/** Fills an empty folder that exists, as it is: a shell or an editor may stand in it. */
async function fillInPlace(folder: string, fill: (temporary: string) => Promise<void>): Promise<void> {
  const temporary = await mkdtemp(join(folder, '.scaffold-'));
  const moved: string[] = [];
  try {
    await fill(temporary);
    for (const name of await readdir(temporary)) {
      await rename(join(temporary, name), join(folder, name));
      moved.push(name);
    }
  } catch (error) {
    for (const name of moved) await rm(join(folder, name), { recursive: true, force: true });
    throw fromSystemError(error, 'Cannot write the folder', folder);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

/**
 * Writes a submission that works: media/templates/KIND and, for the demo, its checkpoints. All of it or nothing.
 * Throws a usage error when the folder holds anything already or the track is for the other kind.
 */
export async function scaffold(options: ScaffoldOptions): Promise<Scaffolded> {
  const { kind, demo = false } = options;
  const folder = resolve(options.folder);
  const tracks = await loadTracks({ folder });
  const track = options.track === undefined ? defaultTrack(tracks, kind) : findTrack(tracks, options.track);
  if (track.kind !== kind) {
    const fitting = tracks.filter((one) => one.kind === kind).map((one) => one.id);
    throw new UserError(`The track ${track.id} is for ${track.kind}, not for ${kind}`, {
      place: { field: 'track' },
      remedy: `Choose one of ${fitting.join(', ')}.`,
    });
  }
  const present = await namesIn(folder);
  if (present?.some((name) => name !== '.git')) {
    throw new UserError('The folder is not empty', {
      place: { file: folder },
      remedy: 'Choose a folder that does not exist yet.',
    });
  }
  const values = valuesFor(options.name ?? basename(folder), track);
  const fill = async (target: string) => {
    await copyTemplate(kind, target, values);
    if (!demo) return;
    await copyTemplate(`${kind}-demo`, target, values);
    await copyDemo(kind, target);
  };
  if (present === undefined) await folderAtomic(folder, fill);
  else await fillInPlace(folder, fill);
  const files: string[] = [];
  for await (const { path, kind: what } of walkTree(folder, { skip: (_, name) => name === '.git' })) {
    if (what === 'file') files.push(path);
  }
  return { kind, track: track.id, files: files.sort() };
}
