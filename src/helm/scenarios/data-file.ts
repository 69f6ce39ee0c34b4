import { readFile } from 'node:fs/promises';
import { fromSystemError, UserError } from '../../base/index.ts';
import { parseLooseJson } from '../python/json.ts';

/** Reads a file of scenario data as text; a missing one is told with where it comes from. */
export async function readData(file: string, source: string): Promise<string> {
  const bytes = await readDataBytes(file, source);
  // Python reads text files with every line end as a newline.
  return bytes.toString('utf8').replace(/\r\n?/g, '\n');
}

export async function readDataBytes(file: string, source: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
      throw fromSystemError(error, 'Cannot read the data', file);
    throw missingData([file], source);
  }
}

/** @param source where the data comes from: a URL, or a sentence */
export function missingData(files: readonly string[], source: string): UserError {
  return new UserError('The scenario’s data is not there', {
    place: { file: files.join(', ') },
    remedy: `Get it from ${source}, or name the folder that holds it with --data.`,
  });
}

/** Reads a line of JSON; a bad one is named. */
export function parseLine(line: string, file: string, number: number): unknown {
  try {
    return parseLooseJson(line);
  } catch (cause) {
    throw new UserError('The line is no JSON', { place: { file, line: number }, cause });
  }
}
