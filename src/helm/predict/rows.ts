import { readFile } from 'node:fs/promises';
import { extname } from 'node:path';
import { z } from 'zod';
import { fromSystemError, type Place, parseWith, UserError } from '../../base/index.ts';
import { parseCsv } from '../python/csv.ts';
import { parseLooseJson } from '../python/json.ts';
import { parseStringList } from '../python/literal.ts';

/** One row of a data set of the merging kit. */
export interface KitRow {
  readonly id: string;
  readonly input: string;
  /** Empty where the answer is to be generated. */
  readonly choices: readonly string[];
  /** The text to generate, or the index of the right choice; undefined where it is not told, as in test data. */
  readonly target?: string | number;
  readonly place: Place;
}

const scalar = z.union([z.string(), z.number(), z.boolean()]).transform(String);

/** Beside the columns of today's kit, what the lines of its first version had. */
const rowSchema = z.object({
  id: scalar.nullish(),
  input: scalar,
  target: scalar.nullish(),
  label: scalar.nullish(),
  lbl: scalar.nullish(),
  answer_choices: z.union([z.string(), z.array(scalar)]).nullish(),
  eval_type: z.enum(['multiple_choice', 'generation', '']).nullish(),
});

function choicesOf(given: string | readonly string[] | null | undefined, place: Place): readonly string[] {
  if (given == null || typeof given !== 'string') return given ?? [];
  if (['', 'None', 'nan'].includes(given.trim())) return [];
  try {
    return parseStringList(given);
  } catch (cause) {
    throw new UserError(`The choices are no list of strings: ${(cause as Error).message}`, {
      place: { ...place, field: 'answer_choices' },
      remedy: "Write them as Python does: ['first', 'second'].",
      cause,
    });
  }
}

function makeRow(value: unknown, index: number, place: Place): KitRow {
  const row = parseWith(rowSchema, value, 'The row', place);
  const choices = row.eval_type === 'generation' ? [] : choicesOf(row.answer_choices, place);
  if (row.eval_type === 'multiple_choice' && choices.length === 0) {
    throw new UserError('The multiple-choice row has no choices', {
      place: { ...place, field: 'answer_choices' },
    });
  }
  const base = { id: row.id ?? String(index), input: row.input, choices, place };
  const target = row.label ?? row.lbl ?? row.target;
  if (target == null || (target === '' && choices.length > 0)) return base;
  if (choices.length === 0) return { ...base, target: row.target ?? target };
  const right = /^\d+(?:\.0)?$/.test(target) ? Number(target) : choices.indexOf(target);
  if (choices[right] === undefined) {
    throw new UserError(`The target ${JSON.stringify(target)} is none of the ${choices.length} choices`, {
      place: { ...place, field: 'target' },
      remedy: 'It is the index of the right choice, from 0.',
    });
  }
  return { ...base, target: right };
}

/** Reads a CSV file by its header, or (`.json`, `.jsonl`) one JSON object a line. Throws a usage error with the line. */
export async function readKitRows(file: string): Promise<KitRow[]> {
  const bytes = await readFile(file, 'utf8').catch((error: unknown) => {
    throw fromSystemError(error, 'Cannot read the data set', file);
  });
  const text = bytes.replace(/^\uFEFF/, '').replace(/\r\n?/g, '\n');
  const rows = /^\.jsonl?$/.test(extname(file)) ? jsonRows(text, file) : csvRows(text, file);
  if (rows.length === 0) {
    throw new UserError('The data set has no rows', {
      place: { file },
      remedy: 'Give a CSV file with the columns id, input, target, answer_choices, eval_type.',
    });
  }
  return rows;
}

function csvRows(text: string, file: string): KitRow[] {
  const [header, ...rows] = parseCsv(text);
  const names = header?.fields ?? [];
  if (!names.includes('input')) {
    throw new UserError('The CSV file has no column `input`', {
      place: { file, line: 1 },
      remedy: 'Its first line names the columns: id,input,target,answer_choices,eval_type.',
    });
  }
  return rows.map(({ fields, line }, index) => {
    const place = { file, line };
    if (fields.length !== names.length) {
      throw new UserError(`The row has ${fields.length} fields, the header ${names.length}`, {
        place,
        remedy: 'Put fields that hold commas, quotes or line breaks in quotes.',
      });
    }
    return makeRow(Object.fromEntries(names.map((name, i) => [name, fields[i]])), index, place);
  });
}

function jsonRows(text: string, file: string): KitRow[] {
  return text.split('\n').flatMap((line, index) => {
    if (line.trim() === '') return [];
    const place = { file, line: index + 1 };
    try {
      return [makeRow(parseLooseJson(line), index, place)];
    } catch (cause) {
      if (cause instanceof UserError) throw cause;
      throw new UserError('The line is no JSON object', { place, cause });
    }
  });
}
