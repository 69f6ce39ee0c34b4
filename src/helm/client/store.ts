import { createHash } from 'node:crypto';
import { type FileHandle, open, readFile, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fromSystemError, makeFolder } from '../../base/index.ts';

interface Place {
  readonly start: number;
  readonly length: number;
}

/**
 * Answers of /process on disk, by the request's body: one line an answer, appended as it comes, so that what was
 * answered outlives a crash, a cancel or a server that dies. A line that was cut off is left out when read.
 */
export class AnswerStore {
  readonly file: string;
  private readonly earlier: ReadonlyMap<string, Place>;
  private readonly handle: FileHandle;
  private end: number;
  private writing: Promise<unknown> = Promise.resolve();

  private constructor(file: string, handle: FileHandle, earlier: Map<string, Place>, end: number) {
    this.file = file;
    this.handle = handle;
    this.earlier = earlier;
    this.end = end;
  }

  /** @param resume keep the answers of an earlier evaluation; else they are dropped */
  static async open(file: string, resume: boolean): Promise<AnswerStore> {
    try {
      await makeFolder(dirname(file));
      const earlier = new Map<string, Place>();
      let end = 0;
      if (resume) end = indexLines(await readFile(file).catch(() => Buffer.alloc(0)), earlier);
      else await rm(file, { force: true });
      const handle = await open(file, resume && end > 0 ? 'r+' : 'w+');
      await handle.truncate(end);
      return new AnswerStore(file, handle, earlier, end);
    } catch (error) {
      throw fromSystemError(error, 'Cannot keep the answers', file);
    }
  }

  /** The answer of an earlier evaluation. What this one has asked is asked again, as HELM does. */
  async find(body: string): Promise<string | undefined> {
    const place = this.earlier.get(keyOf(body));
    if (!place) return undefined;
    const bytes = Buffer.alloc(place.length);
    await this.handle.read(bytes, 0, place.length, place.start);
    return JSON.parse(bytes.toString('utf8')) as string;
  }

  async keep(body: string, answer: string): Promise<void> {
    const line = Buffer.from(`${keyOf(body)} ${JSON.stringify(answer)}\n`);
    const at = this.end;
    this.end += line.length;
    const written = this.writing.then(() => this.handle.write(line, 0, line.length, at));
    // The chain goes on after a failure, which the caller of this write hears of.
    this.writing = written.catch(() => undefined);
    try {
      await written;
    } catch (error) {
      throw fromSystemError(error, 'Cannot keep the answers', this.file);
    }
  }

  async close(): Promise<void> {
    await this.writing;
    await this.handle.close();
  }
}

function keyOf(body: string): string {
  return createHash('sha256').update(body).digest('base64url');
}

/** Notes where the answers of complete lines lie; returns where the last of them ends. */
function indexLines(bytes: Buffer, places: Map<string, Place>): number {
  let start = 0;
  for (;;) {
    const newline = bytes.indexOf(10, start);
    if (newline < 0) return start;
    const space = bytes.indexOf(32, start);
    if (space < 0 || space > newline) return start;
    places.set(bytes.toString('latin1', start, space), { start: space + 1, length: newline - space - 1 });
    start = newline + 1;
  }
}
