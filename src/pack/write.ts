import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { chmod, copyFile, mkdir, readFile, symlink, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Pack, pack } from 'tar-stream';
import { ZipFile } from 'yazl';
import {
  folderAtomic,
  fromSystemError,
  throwIfCancelled,
  UserError,
  type WorkOptions,
  writeAtomic,
} from '../base/index.ts';
import type { Selected } from './select.ts';

/** Of every entry: packages of the same input are the same bytes. The earliest day that zip knows. */
const modified = new Date(1980, 0, 1);
const modifiedUtc = new Date(Date.UTC(1980, 0, 1));
const smallFile = 4 * 1024 * 1024;

/** What was written: the archive's hash and size, and the hash of every file in it by its path there. */
export interface Written {
  readonly sha256: string;
  readonly bytes: number;
  readonly hashes: ReadonlyMap<string, string>;
}

interface WriteJob extends WorkOptions {
  readonly folder: string;
  readonly selected: readonly Selected[];
  /** Name of the root folder in the archive; without one the files lie at the top. */
  readonly root?: string;
  readonly out: string;
}

const inArchive = (root: string | undefined, path: string) => (root === undefined ? path : `${root}/${path}`);
const modeOf = ({ kind, executable }: Selected) => (kind === 'folder' || executable ? 0o755 : 0o644);

const changed = (file: string) =>
  new UserError('The file changed while it was packed', {
    kind: 'work',
    place: { file },
    remedy: 'Run it again when nothing writes to it.',
  });

/** The content of a file, hashed on its way; throws when its size is not what was seen. */
async function* contentOf(
  job: WriteJob,
  { path, bytes }: Selected,
  hashes: Map<string, string>,
): AsyncGenerator<Buffer> {
  const file = join(job.folder, path);
  const hash = createHash('sha256');
  let seen = 0;
  try {
    const source = bytes <= smallFile ? [await readFile(file)] : createReadStream(file);
    for await (const chunk of source as AsyncIterable<Buffer>) {
      throwIfCancelled(job.signal, 'Packing');
      seen += chunk.length;
      if (seen > bytes) throw changed(file);
      hash.update(chunk);
      yield chunk;
    }
  } catch (error) {
    throw fromSystemError(error, 'The file cannot be packed', file);
  }
  if (seen !== bytes) throw changed(file);
  hashes.set(inArchive(job.root, path), hash.digest('hex'));
}

/** Reports bytes of files as they are packed. */
function meter(job: WriteJob) {
  const total = job.selected.reduce((sum, { bytes }) => sum + bytes, 0);
  let done = 0;
  return ({ path, bytes }: Selected) => {
    job.onProgress?.({ done, total, unit: 'bytes', message: path });
    done += bytes;
  };
}

/** Writes a stream to a file, whole or not at all, and hashes it on its way. */
async function writeStream(
  out: string,
  stream: AsyncIterable<Uint8Array>,
): Promise<{ sha256: string; bytes: number }> {
  return writeAtomic(out, async (file) => {
    const hash = createHash('sha256');
    let bytes = 0;
    for await (const chunk of stream) {
      hash.update(chunk);
      for (let at = 0; at < chunk.length; ) at += (await file.write(chunk, at)).bytesWritten;
      bytes += chunk.length;
    }
    return { sha256: hash.digest('hex'), bytes };
  });
}

async function fillTar(archive: Pack, job: WriteJob, hashes: Map<string, string>): Promise<void> {
  const progress = meter(job);
  const common = { mtime: modifiedUtc, uid: 0, gid: 0, uname: '', gname: '' };
  if (job.root !== undefined) {
    archive.entry({ ...common, name: `${job.root}/`, type: 'directory', mode: 0o755 });
  }
  for (const one of job.selected) {
    progress(one);
    const name = inArchive(job.root, one.path);
    const header = { ...common, mode: modeOf(one) };
    if (one.kind === 'folder') archive.entry({ ...header, name: `${name}/`, type: 'directory' });
    else if (one.kind === 'link') {
      archive.entry({ ...header, name, type: 'symlink', linkname: one.target ?? '' });
    } else {
      const entry = archive.entry({ ...header, name, type: 'file', size: one.bytes });
      // The pipeline tells of a failure; the entry's own event would come a second time, after it.
      entry.on('error', () => {});
      await pipeline(Readable.from(contentOf(job, one, hashes)), entry);
    }
  }
  archive.finalize();
}

async function* tarBytes(job: WriteJob, hashes: Map<string, string>): AsyncGenerator<Uint8Array> {
  const archive = pack();
  const filled = fillTar(archive, job, hashes).catch((error: unknown) => {
    archive.destroy(error instanceof Error ? error : new Error(String(error)));
  });
  yield* archive as unknown as AsyncIterable<Uint8Array>;
  await filled;
}

/** An uncompressed tar: pax headers where names or sizes need them, no owner, one time, sorted. */
export async function writeTar(job: WriteJob): Promise<Written> {
  const hashes = new Map<string, string>();
  return { ...(await writeStream(job.out, tarBytes(job, hashes))), hashes };
}

function fillZip(archive: ZipFile, job: WriteJob, hashes: Map<string, string>): void {
  const progress = meter(job);
  const dated = { mtime: modified, forceDosTimestamp: true };
  const common = { ...dated, compress: false };
  const output = archive.outputStream as unknown as Readable;
  for (const one of job.selected) {
    const name = inArchive(job.root, one.path);
    if (one.kind === 'folder') archive.addEmptyDirectory(name, { ...dated, mode: 0o40755 });
    else if (one.kind === 'link') {
      archive.addBuffer(Buffer.from(one.target ?? ''), name, { ...common, mode: 0o120777 });
    } else {
      const options = { ...common, mode: 0o100000 | modeOf(one), size: one.bytes };
      archive.addReadStreamLazy(name, options, (give) => {
        progress(one);
        const content = Readable.from(contentOf(job, one, hashes));
        content.on('error', (error) => output.destroy(error));
        give(null, content);
      });
    }
  }
  archive.end();
}

async function* zipBytes(job: WriteJob, hashes: Map<string, string>): AsyncGenerator<Uint8Array> {
  const archive = new ZipFile();
  const output = archive.outputStream as unknown as Readable;
  archive.on('error', (error: Error) => output.destroy(error));
  fillZip(archive, job, hashes);
  yield* output;
}

/** A zip that stores its files: deflate gives other bytes with another zlib. */
export async function writeZip(job: WriteJob): Promise<Written> {
  const hashes = new Map<string, string>();
  return { ...(await writeStream(job.out, zipBytes(job, hashes))), hashes };
}

/** The files themselves in a folder, as the organizers' pipeline takes them. */
export async function writeFolder(job: WriteJob): Promise<Written> {
  const hashes = new Map<string, string>();
  const progress = meter(job);
  await folderAtomic(job.out, async (temporary) => {
    for (const one of job.selected) {
      throwIfCancelled(job.signal, 'Packing');
      progress(one);
      const to = join(temporary, inArchive(job.root, one.path));
      await mkdir(one.kind === 'folder' ? to : dirname(to), { recursive: true });
      if (one.kind === 'link') await symlink(one.target ?? '', to);
      if (one.kind !== 'file') continue;
      for await (const _ of contentOf(job, one, hashes));
      await copyFile(join(job.folder, one.path), to);
      await chmod(to, modeOf(one));
      await utimes(to, modifiedUtc, modifiedUtc);
    }
  });
  const list = [...hashes].sort().map(([path, hash]) => `${hash}  ${path}\n`);
  const bytes = job.selected.reduce((sum, one) => sum + one.bytes, 0);
  return { sha256: createHash('sha256').update(list.join('')).digest('hex'), bytes, hashes };
}
