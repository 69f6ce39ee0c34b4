import { createReadStream } from 'node:fs';
import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises';
import { helmJson, type Json } from '../python/json.ts';

const chunkLength = 2 ** 20;

/** Writes a JSON list item by item, so that a file of any length needs little memory. */
export class JsonListFile {
  private readonly handle: FileHandle;
  private readonly indent: string;
  private readonly tail: string;
  private buffer: string;
  private count = 0;

  private constructor(handle: FileHandle, head: string, indent: string, tail: string) {
    this.handle = handle;
    this.buffer = head;
    this.indent = indent;
    this.tail = tail;
  }

  /** @param within an object of which the list becomes the last value, under the given key */
  static async create(
    file: string,
    within?: { readonly object: Record<string, Json>; readonly key: string },
  ) {
    const handle = await open(file, 'wx');
    if (!within) return new JsonListFile(handle, '[', '  ', ']');
    const fields = Object.entries(within.object).map(
      ([key, value]) => `  "${key}": ${helmJson(value, '  ')},\n`,
    );
    return new JsonListFile(handle, `{\n${fields.join('')}  "${within.key}": [`, '    ', '  ]\n}');
  }

  async add(item: Json): Promise<void> {
    this.buffer += `${this.count++ > 0 ? ',' : ''}\n${this.indent}${helmJson(item, this.indent)}`;
    if (this.buffer.length >= chunkLength) await this.flush();
  }

  async close(): Promise<void> {
    try {
      // An empty list stands on one line.
      this.buffer += this.count > 0 ? `\n${this.tail}` : this.tail.trimStart();
      await this.flush();
      await this.handle.sync();
    } finally {
      await this.handle.close();
    }
  }

  /** Closes the file as it is, for when the run is given up. */
  async abandon(): Promise<void> {
    await this.handle.close().catch(() => undefined);
  }

  private async flush(): Promise<void> {
    const text = this.buffer;
    this.buffer = '';
    await this.handle.write(text);
  }
}

/** Makes one list of the lists in `files`, in their order, and removes them. */
export async function joinLists(files: readonly string[], target: string): Promise<void> {
  const [first] = files;
  if (first !== undefined && files.length === 1) return rename(first, target);
  const handle = await open(target, 'wx');
  try {
    let separator = '[';
    for (const file of files) {
      const { size } = await stat(file);
      // Between the opening bracket and the line with the closing one stand the items.
      if (size > '[]'.length) {
        await handle.write(separator);
        separator = ',';
        for await (const chunk of createReadStream(file, { start: 1, end: size - 3 }))
          await handle.write(chunk);
      }
      await rm(file);
    }
    await handle.write(separator === '[' ? '[]' : '\n]');
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Writes one JSON value as a file and makes sure that it is on disk. */
export async function writeJson(file: string, value: Json): Promise<void> {
  const handle = await open(file, 'wx');
  try {
    await handle.writeFile(helmJson(value));
    await handle.sync();
  } finally {
    await handle.close();
  }
}
