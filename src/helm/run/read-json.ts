import { open } from 'node:fs/promises';
import { UserError } from '../../base/index.ts';
import { parseLooseJson } from '../python/json.ts';

const chunkBytes = 2 ** 20;
/** How far back a list's key is looked for. */
const keyReach = 256;

const code = {
  quote: 0x22,
  backslash: 0x5c,
  list: 0x5b,
  object: 0x7b,
  listEnd: 0x5d,
  objectEnd: 0x7d,
} as const;

/** Finds the items of the wanted list in the bytes of a JSON text that come piece by piece. */
class ItemScanner {
  private readonly key: string | undefined;
  private readonly itemDepth: number;
  private bytes: Buffer = Buffer.alloc(0);
  private scanned = 0;
  private depth = 0;
  private inText = false;
  private escaped = false;
  private inList: boolean;
  private itemStart = -1;

  constructor(key: string | undefined) {
    this.key = key;
    // Items of a list within an object lie one level deeper.
    this.itemDepth = key === undefined ? 1 : 2;
    this.inList = key === undefined;
  }

  get complete(): boolean {
    return this.depth === 0 && !this.inText;
  }

  /** The texts of the items that end within the new bytes. */
  scan(chunk: Buffer): string[] {
    this.bytes = Buffer.concat([this.bytes, chunk]);
    const { bytes, itemDepth } = this;
    const items: string[] = [];
    // Locals: this loop sees every byte of every run.
    let { inText, escaped } = this;
    for (let i = this.scanned; i < bytes.length; i++) {
      const byte = bytes[i] as number;
      if (inText) {
        if (escaped) escaped = false;
        else if (byte === code.backslash) escaped = true;
        else if (byte === code.quote) inText = false;
      } else if (byte === code.quote) {
        inText = true;
      } else if (byte < code.list) {
        // White space, numbers and commas.
      } else if (byte === code.list || byte === code.object) {
        this.open(i);
      } else if (byte === code.listEnd || byte === code.objectEnd) {
        this.depth--;
        if (this.depth === itemDepth && this.itemStart >= 0) {
          items.push(bytes.toString('utf8', this.itemStart, i + 1));
          this.itemStart = -1;
        }
      }
    }
    this.inText = inText;
    this.escaped = escaped;
    const keepFrom = this.itemStart >= 0 ? this.itemStart : Math.max(0, bytes.length - keyReach);
    this.bytes = bytes.subarray(keepFrom);
    this.scanned = this.bytes.length;
    if (this.itemStart >= 0) this.itemStart = 0;
    return items;
  }

  private open(at: number): void {
    if (this.key !== undefined && this.depth === 1) {
      const before = this.bytes.toString('utf8', Math.max(0, at - keyReach), at);
      this.inList = new RegExp(`"${this.key}"\\s*:\\s*$`).test(before);
    }
    if (this.depth === this.itemDepth && this.inList) this.itemStart = at;
    this.depth++;
  }
}

/**
 * Reads the items of a JSON list one by one, so that a file larger than memory can be read. The list is the file
 * itself, or the value of `key` of the object that is the file. NaN and Infinity are read as HELM writes them.
 * @throws UserError where the file is cut off or no JSON
 */
export async function* readJsonItems(file: string, key?: string): AsyncGenerator<unknown> {
  const scanner = new ItemScanner(key);
  const handle = await open(file, 'r');
  const chunk = Buffer.allocUnsafe(chunkBytes);
  try {
    for (;;) {
      const { bytesRead } = await handle.read(chunk, 0, chunkBytes);
      if (bytesRead === 0) break;
      for (const item of scanner.scan(chunk.subarray(0, bytesRead))) yield parseLooseJson(item);
    }
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new UserError(`The file is no JSON: ${error.message}`, { place: { file }, cause: error });
  } finally {
    await handle.close();
  }
  if (!scanner.complete) throw new UserError('The file ends in the middle', { place: { file } });
}
