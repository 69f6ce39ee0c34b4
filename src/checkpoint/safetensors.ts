import { type FileHandle, open } from 'node:fs/promises';
import { formatBytes, fromSystemError, UserError } from '../base/index.ts';
import { dtypes, elementCount, isDtype } from './dtypes.ts';
import { repeatedKeys } from './json.ts';
import type { Dtype, TensorInfo, TensorSpec } from './types.ts';

/** The format's own limit for the length of a header. */
const maxHeaderBytes = 100_000_000;

/** A safetensors file's header: its tensors in the order of the header, and the free-form strings beside them. */
export interface SafetensorsHeader {
  readonly tensors: readonly TensorInfo[];
  readonly metadata: Readonly<Record<string, string>>;
}

function damaged(file: string, why: string, options: { tensor?: string; remedy?: string } = {}): UserError {
  return new UserError(`Not a valid safetensors file: ${why}`, {
    place: { file, ...(options.tensor === undefined ? {} : { field: options.tensor }) },
    remedy: options.remedy ?? 'Download or save the file again.',
  });
}

async function readExactly(handle: FileHandle, length: number, position: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await handle.read(buffer, filled, length - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}

async function readHeaderText(handle: FileHandle, file: string, fileBytes: number): Promise<string> {
  if (fileBytes === 0) throw damaged(file, 'the file is empty');
  const start = await readExactly(handle, 8, 0);
  if (start.toString('latin1').startsWith('version ')) {
    throw damaged(file, 'it is a Git LFS pointer, not the weights themselves', {
      remedy: 'Run `git lfs pull` in the folder, or download the file itself.',
    });
  }
  if (start.length < 8) throw damaged(file, `the file is truncated: ${fileBytes} bytes, 8 are the least`);
  const length = start.readBigUInt64LE();
  if (length > BigInt(maxHeaderBytes)) {
    throw damaged(file, `its header claims ${length} bytes; the format allows ${maxHeaderBytes}`);
  }
  const headerBytes = Number(length);
  if (8 + headerBytes > fileBytes) {
    throw damaged(file, `its header claims ${headerBytes} bytes, but only ${fileBytes - 8} follow`);
  }
  const bytes = await readExactly(handle, headerBytes, 8);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw damaged(file, 'its header is not UTF-8 text');
  }
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** Checks one entry of the header alone; how entries lie together is checked afterwards. */
function parseEntry(file: string, name: string, entry: unknown, dataStart: number): TensorInfo {
  const wrong = (why: string) => damaged(file, `tensor ${JSON.stringify(name)} ${why}`, { tensor: name });
  if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) throw wrong('is no JSON object');
  const { dtype, shape, data_offsets: offsets } = entry as Record<string, unknown>;
  if (!isDtype(dtype)) throw wrong(`has the unknown dtype ${JSON.stringify(dtype)}`);
  if (!Array.isArray(shape) || !shape.every(isCount)) {
    throw wrong(`has the shape ${JSON.stringify(shape)}, which is no list of sizes`);
  }
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isCount)) {
    throw wrong(`has the data_offsets ${JSON.stringify(offsets)}, which are no pair of positions`);
  }
  const [begin, end] = offsets as [number, number];
  const expected = elementCount(shape) * dtypes[dtype].bytes;
  if (end - begin !== expected) {
    throw wrong(
      `takes ${end - begin} bytes, but ${dtype} of shape [${shape.join(', ')}] takes ${expected} bytes`,
    );
  }
  return { name, dtype, shape, file, begin: dataStart + begin, end: dataStart + end };
}

/** The data must be covered from its first byte to the file's last, without overlap or hole. */
function checkLayout(
  file: string,
  tensors: readonly TensorInfo[],
  dataStart: number,
  fileBytes: number,
): void {
  const ordered = [...tensors].sort((a, b) => a.begin - b.begin || a.end - b.end);
  let position = dataStart;
  let previous = '';
  for (const { name, begin, end } of ordered) {
    if (end > fileBytes) {
      throw damaged(
        file,
        `the file is truncated: tensor ${JSON.stringify(name)} ends at byte ${end}, the file at ${fileBytes}`,
        { tensor: name },
      );
    }
    if (begin < position) {
      throw damaged(file, `tensors ${JSON.stringify(previous)} and ${JSON.stringify(name)} overlap`, {
        tensor: name,
      });
    }
    if (begin > position) {
      throw damaged(file, `${begin - position} bytes before tensor ${JSON.stringify(name)} belong to none`, {
        tensor: name,
      });
    }
    position = end;
    previous = name;
  }
  if (position !== fileBytes) {
    throw damaged(file, `${formatBytes(fileBytes - position)} after the last tensor belong to none`);
  }
}

/**
 * Reads and checks the header of a safetensors file, as strictly as the reference implementation and with the
 * reason in words. No tensor data is read.
 */
export async function readSafetensorsHeader(file: string): Promise<SafetensorsHeader> {
  let handle: FileHandle;
  try {
    handle = await open(file, 'r');
  } catch (error) {
    throw fromSystemError(error, 'Cannot read the weights', file);
  }
  try {
    const { size } = await handle.stat();
    const text = await readHeaderText(handle, file, size);
    let header: unknown;
    try {
      header = JSON.parse(text);
    } catch (cause) {
      throw new UserError('Not a valid safetensors file: its header is not JSON', {
        place: { file },
        remedy: 'Download or save the file again.',
        cause,
      });
    }
    if (typeof header !== 'object' || header === null || Array.isArray(header)) {
      throw damaged(file, 'its header is no JSON object');
    }
    const [repeated] = repeatedKeys(text);
    if (repeated !== undefined) {
      throw damaged(file, `tensor ${JSON.stringify(repeated)} is listed twice`, { tensor: repeated });
    }
    const { __metadata__: metadata = {}, ...entries } = header as Record<string, unknown>;
    if (
      typeof metadata !== 'object' ||
      metadata === null ||
      !Object.values(metadata).every((value) => typeof value === 'string')
    ) {
      throw damaged(file, 'its __metadata__ is no map from names to texts', { tensor: '__metadata__' });
    }
    const dataStart = 8 + Buffer.byteLength(text);
    const tensors = Object.entries(entries).map(([name, entry]) => parseEntry(file, name, entry, dataStart));
    checkLayout(file, tensors, dataStart, size);
    return { tensors, metadata: metadata as Record<string, string> };
  } finally {
    await handle.close();
  }
}

/** The bytes of one tensor, as stored. Throws a usage error when the file has become shorter since its header was read. */
export async function readTensor(info: TensorInfo): Promise<Uint8Array> {
  let handle: FileHandle;
  try {
    handle = await open(info.file, 'r');
  } catch (error) {
    throw fromSystemError(error, 'Cannot read the weights', info.file);
  }
  try {
    const bytes = await readExactly(handle, info.end - info.begin, info.begin);
    if (bytes.length < info.end - info.begin) {
      throw damaged(info.file, 'the file is truncated', { tensor: info.name });
    }
    return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
  } finally {
    await handle.close();
  }
}

/** A tensor's place in a file that is to be written: [begin, end), header included. */
export interface PlacedTensor extends TensorSpec {
  readonly begin: number;
  readonly end: number;
}

/**
 * Lays tensors out in one file: the widest types first, so that each is aligned to its width, then by name, as
 * the reference implementation does.
 * @returns the first bytes of the file (length and header, padded to eight) and where each tensor goes
 */
export function layOutSafetensors(tensors: readonly TensorSpec[]): {
  readonly header: Uint8Array;
  readonly tensors: readonly PlacedTensor[];
  readonly bytes: number;
} {
  const width = (dtype: Dtype) => dtypes[dtype].bytes;
  const ordered = [...tensors].sort(
    (a, b) => width(b.dtype) - width(a.dtype) || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0),
  );
  const entries: [string, unknown][] = [['__metadata__', { format: 'pt' }]];
  const offsets: { spec: TensorSpec; begin: number; end: number }[] = [];
  let position = 0;
  for (const spec of ordered) {
    const end = position + elementCount(spec.shape) * width(spec.dtype);
    entries.push([spec.name, { dtype: spec.dtype, shape: spec.shape, data_offsets: [position, end] }]);
    offsets.push({ spec, begin: position, end });
    position = end;
  }
  const json = Buffer.from(JSON.stringify(Object.fromEntries(entries)));
  const headerBytes = Math.ceil(json.length / 8) * 8;
  const header = Buffer.alloc(8 + headerBytes, ' ');
  header.writeBigUInt64LE(BigInt(headerBytes));
  json.copy(header, 8);
  return {
    header,
    tensors: offsets.map(({ spec, begin, end }) => ({
      ...spec,
      begin: header.length + begin,
      end: header.length + end,
    })),
    bytes: header.length + position,
  };
}
