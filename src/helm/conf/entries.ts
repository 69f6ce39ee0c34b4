import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { z } from 'zod';
import { fromSystemError, type Place, parseWith, UserError } from '../../base/index.ts';
import { parseHocon } from './hocon.ts';

/** One entry of a conf file: what to run, in HELM's words. */
export interface RunEntry {
  /** `scenario:argument=value,…` */
  readonly description: string;
  /** 1 is the most important; entries above the asked priority are left out. */
  readonly priority?: number;
  /** Further groups for the runs. */
  readonly groups?: readonly string[];
  readonly place: Place;
}

const entrySchema = z.object({
  description: z.string(),
  priority: z.number().int().nullish(),
  groups: z.array(z.string()).nullish(),
});

/** Reads the run entries of a conf file. Throws a usage error with file and line. */
export async function readRunEntries(file: string): Promise<RunEntry[]> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw fromSystemError(error, 'Cannot read the conf file', file);
  });
  return parseRunEntries(text, file);
}

/** {@link readRunEntries} for text at hand; `file` is named in errors. */
export function parseRunEntries(text: string, file: string): RunEntry[] {
  const { root, lineOf } = parseHocon(text, file);
  const entries = Array.isArray(root) ? undefined : root.entries;
  if (!Array.isArray(entries)) {
    throw new UserError(`${basename(file)} has no list \`entries\``, {
      place: { file, field: 'entries' },
      remedy: 'Write entries: [ { description: "scenario:argument=value,model=neurips/local" } ].',
    });
  }
  return entries.map((value, index) => {
    const line =
      typeof value === 'object' && value !== null && !Array.isArray(value) ? lineOf(value) : undefined;
    const place = { file, ...(line === undefined ? {} : { line }) };
    const { description, priority, groups } = parseWith(entrySchema, value, `Entry ${index + 1}`, place);
    return {
      description,
      place,
      ...(priority == null ? {} : { priority }),
      ...(groups == null ? {} : { groups }),
    };
  });
}

/** A description taken apart: `arguments` in their order, values as numbers where they are written like one. */
export interface ParsedDescription {
  readonly scenario: string;
  readonly arguments: ReadonlyMap<string, string | number>;
}

/** Splits a description at its first colon, its commas and equal signs, none of which can be escaped. */
export function parseDescription(description: string, place: Place): ParsedDescription {
  const colon = description.indexOf(':');
  if (colon < 0) return { scenario: description, arguments: new Map() };
  const parts = description.slice(colon + 1).split(',');
  const pairs = parts.map((part) => {
    const equals = part.indexOf('=');
    if (equals < 0) {
      throw new UserError(`"${part}" in the run entry "${description}" is no key=value`, {
        place,
        remedy:
          'Separate arguments by commas and give each a value: scenario:argument=value,model=neurips/local.',
      });
    }
    return [part.slice(0, equals), parseValue(part.slice(equals + 1))] as const;
  });
  return { scenario: description.slice(0, colon), arguments: new Map(pairs) };
}

/** As Python's `int()`, else `float()`, else the text. */
function parseValue(text: string): string | number {
  const number = /^\s*[+-]?(?:\d+(?:_\d+)*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?\s*$/;
  return number.test(text) ? Number(text.replaceAll('_', '')) : text;
}
