import { readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { throwIfCancelled, walkTree } from '../base/index.ts';

/** One thing in a submission. */
export interface SubmissionEntry {
  /** Relative to the submission's folder, with `/`. */
  readonly path: string;
  readonly kind: 'file' | 'folder' | 'link' | 'other';
  /** Bytes of a file, or of the one that a link leads to; 0 for the rest. */
  readonly size: number;
}

/** What the doctor reads: a folder on disk, the part of it that is packed, or an archive. */
export interface SubmissionSource {
  /** Name of the folder. */
  readonly name: string;
  readonly entries: readonly SubmissionEntry[];
  /** Bytes of a file under 1 MiB; undefined when it cannot be read. */
  read(path: string): Promise<Uint8Array | undefined>;
}

/** Folders that are no part of what anyone sends, whatever lies in them. */
const outside = /^(\.git|node_modules|\.submission|benchmark_output|\.venv|site-packages)$/;

/** Reads a folder's listing; contents are read on demand. */
export async function folderSource(folder: string, signal?: AbortSignal): Promise<SubmissionSource> {
  const entries: Omit<SubmissionEntry, 'size'>[] = [];
  const walk = walkTree(folder, {
    skip: (_, name) => outside.test(name),
    onUnreadable: () => {},
    ...(signal ? { signal } : {}),
  });
  for await (const { path, kind, undecodable } of walk) if (!undecodable) entries.push({ path, kind });
  // Environments of Python are known by their marker, whatever they are called.
  const environments = entries
    .filter(({ path }) => path.endsWith('/pyvenv.cfg'))
    .map(({ path }) => path.slice(0, -'pyvenv.cfg'.length));
  const own = entries.filter(({ path }) => !environments.some((prefix) => path.startsWith(prefix)));
  const sized: SubmissionEntry[] = [];
  for (let at = 0; at < own.length; at += 64) {
    throwIfCancelled(signal, 'The check');
    const part = own.slice(at, at + 64).map(async (entry) => {
      const info =
        entry.kind === 'folder' ? undefined : await stat(join(folder, entry.path)).catch(() => undefined);
      return { ...entry, size: info?.isFile() ? info.size : 0 };
    });
    sized.push(...(await Promise.all(part)));
  }
  return {
    name: basename(folder),
    entries: sized,
    read: (path) => readFile(join(folder, path)).catch(() => undefined),
  };
}
