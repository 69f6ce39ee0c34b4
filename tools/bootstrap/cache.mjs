// The folder for heavy things, shared by all clones: ${XDG_CACHE_HOME:-~/.cache}/submission-studio/<name>-<version>/
import { randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { say } from './shell.mjs';

export const cacheRoot = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'submission-studio');

export const cacheFolder = (name, version) => join(cacheRoot, `${name}-${version}`);

/** Written last: a folder without it was left by an installation that broke off, and is made anew. */
const markerOf = (folder) => join(folder, '.complete');

export async function isComplete(folder) {
  return readFile(markerOf(folder)).then(
    () => true,
    () => false,
  );
}

export async function markComplete(folder) {
  await writeFile(markerOf(folder), `${new Date().toISOString()}\n`);
}

const heartbeatMs = 2_000;
const abandonedMs = 30_000;

/** Runs `work` while no other process, of this clone or another, holds the lock of that name. */
export async function withLock(name, work) {
  await mkdir(cacheRoot, { recursive: true });
  const lock = join(cacheRoot, `${name}.lock`);
  let told = false;
  while (!(await create(lock))) {
    const age = await stat(lock).then(
      ({ mtimeMs }) => Date.now() - mtimeMs,
      () => 0,
    );
    if (age > abandonedMs) {
      // Renaming first lets only one of several waiters remove it.
      const grave = `${lock}.${randomUUID()}`;
      await rename(lock, grave).then(
        () => rm(grave, { force: true }),
        () => {},
      );
      continue;
    }
    if (!told) say(`bootstrap: waiting for another process that installs ${name}`);
    told = true;
    await sleep(500);
  }
  // The holder shows that it lives by touching the lock; after a crash the next one takes it over.
  const heartbeat = setInterval(() => utimes(lock, new Date(), new Date()).catch(() => {}), heartbeatMs);
  try {
    return await work();
  } finally {
    clearInterval(heartbeat);
    await rm(lock, { force: true });
  }
}

async function create(lock) {
  try {
    const file = await open(lock, 'wx');
    await file.writeFile(`${process.pid}\n`);
    await file.close();
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  }
}

/**
 * A folder of the cache, made by `install(folder)` when it is not there or was left incomplete.
 * @param adopt says whether an unmarked folder is whole all the same (made by hand with the same recipe)
 */
export async function cached(name, version, install, adopt = async () => false) {
  const folder = cacheFolder(name, version);
  if (await isComplete(folder)) return folder;
  return withLock(`${name}-${version}`, async () => {
    if (await isComplete(folder)) return folder;
    if (!(await adopt(folder))) {
      await rm(folder, { recursive: true, force: true });
      await mkdir(folder, { recursive: true });
      await install(folder);
    }
    await markComplete(folder);
    return folder;
  });
}
