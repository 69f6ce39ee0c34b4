import { randomBytes } from 'node:crypto';
import { type FileHandle, mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fromSystemError } from './errors.ts';

/**
 * Makes a folder and those above it. Node's own recursive form never returns where the system answers "no such
 * file" below a folder that exists, as Linux does in /proc.
 */
export async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST' && (await stat(path)).isDirectory()) return;
    if (code !== 'ENOENT' || dirname(path) === path) throw error;
    await makeFolder(dirname(path));
    await mkdir(path).catch((again: NodeJS.ErrnoException) => {
      if (again.code !== 'EEXIST') throw again;
    });
  }
}

function besideName(path: string): string {
  return join(dirname(path), `.${basename(path)}.${randomBytes(4).toString('hex')}.tmp`);
}

async function syncFolder(folder: string): Promise<void> {
  // Windows refuses to open folders; its rename is durable without it.
  const handle = await open(folder, 'r').catch(() => undefined);
  await handle?.sync().catch(() => undefined);
  await handle?.close();
}

/**
 * Writes a file whole or not at all: `write` fills a temporary file beside `path`, which then takes its name.
 * When `write` throws, nothing is left behind and an existing file is untouched.
 */
export async function writeAtomic<T>(path: string, write: (file: FileHandle) => Promise<T>): Promise<T> {
  const temporary = besideName(path);
  try {
    await makeFolder(dirname(path));
    const file = await open(temporary, 'wx+');
    let result: T;
    try {
      result = await write(file);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
    await syncFolder(dirname(path));
    return result;
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw fromSystemError(error, 'Cannot write the file', path);
  }
}

/** {@link writeAtomic} for content that is in memory. */
export function writeFileAtomic(path: string, content: string | Uint8Array): Promise<void> {
  return writeAtomic(path, (file) => file.writeFile(content));
}

/**
 * Makes a folder whole or not at all: `fill` works in a temporary folder beside `path`, which then takes its
 * name. An existing folder is replaced only once the new one is complete.
 */
export async function folderAtomic<T>(path: string, fill: (temporary: string) => Promise<T>): Promise<T> {
  const temporary = besideName(path);
  try {
    await makeFolder(temporary);
    const result = await fill(temporary);
    const old = besideName(path);
    const hadOld = await rename(path, old).then(
      () => true,
      (error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return false;
        throw error;
      },
    );
    try {
      await rename(temporary, path);
    } catch (error) {
      if (hadOld) await rename(old, path);
      throw error;
    }
    if (hadOld) await rm(old, { recursive: true, force: true });
    await syncFolder(dirname(path));
    return result;
  } catch (error) {
    await rm(temporary, { recursive: true, force: true }).catch(() => undefined);
    throw fromSystemError(error, 'Cannot write the folder', path);
  }
}
