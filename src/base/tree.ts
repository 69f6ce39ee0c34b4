import type { Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fromSystemError, throwIfCancelled } from './errors.ts';

/** One thing in a folder tree. Links are never followed. */
export interface TreeEntry {
  /** Relative to the root, with `/`. A name that is not UTF-8 has its wrong bytes as `\xNN`. */
  readonly path: string;
  readonly kind: 'file' | 'folder' | 'link' | 'other';
  /** True when the name is not UTF-8: such a path can be shown, not opened. */
  readonly undecodable?: boolean;
}

export interface WalkOptions {
  /** Folders for which this says true are listed, and not entered. */
  readonly skip?: (path: string, name: string) => boolean;
  /** How many levels of folders to enter; all unless told. */
  readonly depth?: number;
  /** Called for a folder that cannot be read; without it the failure is thrown. */
  readonly onUnreadable?: (path: string, error: unknown) => void;
  readonly signal?: AbortSignal;
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

function decodeName(bytes: Uint8Array): { name: string; undecodable: boolean } {
  try {
    return { name: utf8.decode(bytes), undecodable: false };
  } catch {
    const escaped = [...bytes].map((byte) =>
      byte < 0x80 ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`,
    );
    return { name: escaped.join(''), undecodable: true };
  }
}

function kindOf(entry: Dirent<Buffer>): TreeEntry['kind'] {
  if (entry.isSymbolicLink()) return 'link';
  if (entry.isDirectory()) return 'folder';
  return entry.isFile() ? 'file' : 'other';
}

const byPath = (a: TreeEntry, b: TreeEntry) => (a.path < b.path ? -1 : 1);

/**
 * What lies below a folder, each folder before what it holds, names in code-unit order. Names are read as bytes, so
 * that one that is not UTF-8 is seen as what it is.
 */
export async function* walkTree(root: string, options: WalkOptions = {}): AsyncGenerator<TreeEntry> {
  const { skip, depth = Number.POSITIVE_INFINITY, onUnreadable, signal } = options;
  const read = async (path: string): Promise<TreeEntry[]> => {
    const folder = join(root, path);
    try {
      const entries = await readdir(folder, { withFileTypes: true, encoding: 'buffer' });
      return entries
        .map((entry) => {
          const { name, undecodable } = decodeName(entry.name);
          const full = path === '' ? name : `${path}/${name}`;
          return { path: full, kind: kindOf(entry), ...(undecodable ? { undecodable } : {}) };
        })
        .sort(byPath);
    } catch (error) {
      if (onUnreadable === undefined) throw fromSystemError(error, 'The folder cannot be read', folder);
      onUnreadable(path, error);
      return [];
    }
  };
  const levels: TreeEntry[][] = [await read('')];
  while (levels.length > 0) {
    throwIfCancelled(signal, 'Reading the folder');
    const entry = levels.at(-1)?.shift();
    if (entry === undefined) {
      levels.pop();
      continue;
    }
    yield entry;
    const name = entry.path.slice(entry.path.lastIndexOf('/') + 1);
    const enter = entry.kind === 'folder' && !entry.undecodable && levels.length < depth;
    if (enter && !skip?.(entry.path, name)) levels.push(await read(entry.path));
  }
}
