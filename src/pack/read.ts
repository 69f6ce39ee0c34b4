import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { extract } from 'tar-stream';
import { getFileNameLowLevel, openPromise } from 'yauzl';
import { fromSystemError, UserError } from '../base/index.ts';

/** One entry of an archive, as it stands there. */
export interface ArchiveEntry {
  readonly path: string;
  readonly kind: 'file' | 'folder' | 'link' | 'hard link' | 'other';
  readonly bytes: number;
  readonly target?: string;
  /** Of a file's content. */
  readonly sha256?: string;
  /** Content of a file that is small enough to be read as text. */
  readonly content?: Uint8Array;
}

export interface Archive {
  readonly form: 'tar' | 'zip';
  readonly entries: readonly ArchiveEntry[];
}

/** What an archive may hold before it counts as one that wants to fill a disk or memory. */
const bounds = {
  entries: 200_000,
  bytes: 200e9,
  expansion: 100,
  content: 1024 * 1024,
  allContent: 512 * 1024 * 1024,
};

class Budget {
  private entries = 0;
  private bytes = 0;
  private kept = 0;
  private readonly limit: number;

  constructor(archiveBytes: number) {
    this.limit = Math.min(bounds.bytes, Math.max(archiveBytes, 1024 * 1024) * bounds.expansion);
  }

  entry(): void {
    if (++this.entries > bounds.entries) throw tooLarge(`more than ${bounds.entries} entries`);
  }

  add(bytes: number): void {
    this.bytes += bytes;
    if (this.bytes > this.limit) throw tooLarge('its content is out of all proportion to its size');
  }

  /** Whether content of so many bytes is kept in memory. */
  keeps(bytes: number): boolean {
    if (bytes >= bounds.content || this.kept + bytes > bounds.allContent) return false;
    this.kept += bytes;
    return true;
  }
}

const tooLarge = (why: string) => new UserError(`The archive is not read further: ${why}`);

async function digest(stream: AsyncIterable<Uint8Array>, bytes: number, budget: Budget) {
  const hash = createHash('sha256');
  const keep = budget.keeps(bytes);
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) {
    budget.add(chunk.length);
    hash.update(chunk);
    if (keep) chunks.push(chunk);
  }
  return { sha256: hash.digest('hex'), ...(keep ? { content: Buffer.concat(chunks) } : {}) };
}

const tarKinds: Readonly<Record<string, ArchiveEntry['kind']>> = {
  file: 'file',
  'contiguous-file': 'file',
  directory: 'folder',
  symlink: 'link',
  link: 'hard link',
};

async function readTar(file: string, gzip: boolean, budget: Budget): Promise<ArchiveEntry[]> {
  const entries: ArchiveEntry[] = [];
  const unpacked = extract();
  const source = createReadStream(file);
  const stream: Readable = gzip ? source.pipe(createGunzip()) : source;
  const fail = (error: Error) => unpacked.destroy(error);
  source.on('error', fail);
  stream.on('error', fail);
  stream.pipe(unpacked);
  try {
    for await (const entry of unpacked) {
      budget.entry();
      const { name, type, size = 0, linkname } = entry.header;
      const kind = tarKinds[type ?? 'file'] ?? 'other';
      const content = await digest(entry as unknown as AsyncIterable<Uint8Array>, size, budget);
      entries.push({
        path: name,
        kind,
        bytes: kind === 'file' ? size : 0,
        ...(linkname ? { target: linkname } : {}),
        ...(kind === 'file' ? content : {}),
      });
    }
  } finally {
    source.destroy();
  }
  return entries;
}

async function readZip(file: string, budget: Budget): Promise<ArchiveEntry[]> {
  const archive = await openPromise(file, { lazyEntries: true, autoClose: true, decodeStrings: false });
  const entries: ArchiveEntry[] = [];
  for await (const entry of archive.eachEntry()) {
    budget.entry();
    const mode = entry.externalFileAttributes >>> 16;
    const isLink = (mode & 0o170000) === 0o120000;
    // Undecoded names are not checked either: one that leads out is for the verification to find.
    const path = getFileNameLowLevel(entry.generalPurposeBitFlag, entry.fileNameRaw, entry.extraFields, true);
    if (path.endsWith('/')) {
      entries.push({ path, kind: 'folder', bytes: 0 });
      continue;
    }
    const stream = await archive.openReadStreamPromise(entry);
    const content = await digest(stream, entry.uncompressedSize, budget);
    if (isLink)
      entries.push({ path, kind: 'link', bytes: 0, target: Buffer.from(content.content ?? []).toString() });
    else entries.push({ path, kind: 'file', bytes: entry.uncompressedSize, ...content });
  }
  return entries;
}

/** Reads an archive, tar (gzipped or not) or zip, without unpacking it. Throws a usage error for anything else. */
export async function readArchive(file: string): Promise<Archive> {
  let head: Buffer;
  let size: number;
  try {
    const handle = await open(file, 'r');
    try {
      size = (await handle.stat()).size;
      head = (await handle.read(Buffer.alloc(512), 0, 512, 0)).buffer;
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw fromSystemError(error, 'The archive cannot be read', file);
  }
  const budget = new Budget(size);
  const isZip = head.subarray(0, 2).toString('latin1') === 'PK';
  const isGzip = head[0] === 0x1f && head[1] === 0x8b;
  const isTar = head.subarray(257, 262).toString('latin1') === 'ustar';
  if (!isZip && !isGzip && !isTar) {
    throw new UserError('This is no tar and no zip', {
      place: { file },
      remedy: 'Give the archive that pack wrote.',
    });
  }
  try {
    const entries = isZip ? await readZip(file, budget) : await readTar(file, isGzip, budget);
    return { form: isZip ? 'zip' : 'tar', entries };
  } catch (error) {
    if (error instanceof UserError) throw new UserError(error.message, { place: { file }, cause: error });
    throw new UserError(`The archive is damaged: ${error instanceof Error ? error.message : String(error)}`, {
      place: { file },
      cause: error,
    });
  }
}
