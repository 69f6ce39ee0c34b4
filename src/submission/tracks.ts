import { readdir, readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, extname, join, resolve } from 'node:path';
import { fromSystemError, mediaPath, UserError, writeFileAtomic } from '../base/index.ts';
import { type Track, trackSchema } from './track-schema.ts';
import type { SubmissionKind } from './types.ts';
import { parseYaml } from './yaml-file.ts';

const trackFile = /\.ya?ml$/i;

/** Folder of the tracks that the user added: the configuration folder of the operating system. */
export function userTracksFolder(environment: NodeJS.ProcessEnv = process.env): string {
  const home = homedir();
  const configuration =
    environment.XDG_CONFIG_HOME ||
    (process.platform === 'win32' && (environment.APPDATA || join(home, 'AppData', 'Roaming'))) ||
    (process.platform === 'darwin' && join(home, 'Library', 'Application Support')) ||
    join(home, '.config');
  return join(configuration, 'submission-studio', 'tracks');
}

async function readTrack(path: string): Promise<Track> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw fromSystemError(error, 'The track file cannot be read', path);
  });
  return parseYaml(text, trackSchema, 'The track file', path);
}

async function tracksIn(folder: string): Promise<Track[]> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return [];
    throw fromSystemError(error, 'The tracks cannot be read', folder);
  });
  const files = names.filter((name) => trackFile.test(name)).sort();
  return Promise.all(files.map((name) => readTrack(join(folder, name))));
}

/** Where tracks are looked for besides our own. */
export interface TrackPlaces {
  /** A submission or workspace folder, whose `.submission/tracks` are read too. */
  readonly folder?: string;
}

/**
 * All tracks: ours, those in the user's configuration folder, those of a folder. A later one replaces an earlier one
 * with the same id. Throws a usage error that names the file and line of a track that is not valid.
 */
export async function loadTracks({ folder }: TrackPlaces = {}): Promise<Track[]> {
  const places = [mediaPath('tracks/'), userTracksFolder()];
  if (folder !== undefined) places.push(join(resolve(folder), '.submission', 'tracks'));
  const found = await Promise.all(places.map(tracksIn));
  return [...new Map(found.flat().map((track) => [track.id, track])).values()];
}

/** The track with an id; a usage error that names those there are. */
export function findTrack(tracks: readonly Track[], id: string): Track {
  const track = tracks.find((one) => one.id === id);
  if (track) return track;
  throw new UserError(`There is no track "${id}"`, {
    place: { field: 'track' },
    remedy: `Tracks: ${tracks.map((one) => one.id).join(', ')}.`,
  });
}

/** The track of a kind that is taken when nobody chose one: the first of its kind. */
export function defaultTrack(tracks: readonly Track[], kind: SubmissionKind): Track {
  const track = tracks.find((one) => one.kind === kind);
  if (track) return track;
  throw new UserError(`There is no ${kind} track`, { remedy: 'Add a track file.' });
}

/**
 * Checks a track file and copies it, comments included, to the user's tracks. One with the same id is replaced.
 */
export async function addTrackFile(path: string): Promise<Track> {
  if (!trackFile.test(extname(path))) {
    throw new UserError(`${basename(path)} is no track file`, {
      place: { file: path },
      remedy: 'Choose a YAML file.',
    });
  }
  const track = await readTrack(path);
  await writeFileAtomic(join(userTracksFolder(), `${track.id}.yaml`), await readFile(path));
  return track;
}

/** A track as `tracks --json` prints it: as in its file, the leaderboard as rows that carry their date and source. */
export function describeTrack(track: Track) {
  const { leaderboard, ...rest } = track;
  const { rows = [], ...about } = leaderboard ?? {};
  return { ...rest, leaderboard: rows.map((row) => ({ ...row, ...about })) };
}
