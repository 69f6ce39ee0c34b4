import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { fromSystemError, parseWith, UserError, writeFileAtomic } from '../base/index.ts';

const at = z.iso.datetime().describe('When the stage ended');

/** `.submission/state.json`: what each stage last made. The command line and the editor both write it. */
export const recordSchema = z.object({
  merge: z
    .object({
      recipe: z.string(),
      out: z.string(),
      at,
      summary: z.string().describe('For people: ties · 3 models'),
      recipeSha256: z.string().describe('The recipe that was merged, to see that it has changed since'),
    })
    .optional(),
  evaluate: z
    .object({ out: z.string(), suite: z.string(), name: z.string(), at, summary: z.string() })
    .optional(),
  package: z.object({ file: z.string(), sha256: z.string(), bytes: z.number(), at }).optional(),
  packages: z
    .array(z.string())
    .optional()
    .describe(
      'Every package that was written, the last one last: these may be replaced and are never packed',
    ),
  baseline: z.string().optional().describe('Name of the run that others are compared to'),
});

export type SubmissionRecord = z.infer<typeof recordSchema>;

const recordPath = (folder: string) => join(folder, '.submission', 'state.json');

/** The record of a submission's folder; empty when no stage has run. */
export async function readRecord(folder: string): Promise<SubmissionRecord> {
  const file = recordPath(folder);
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined;
    throw fromSystemError(error, 'The record cannot be read', file);
  });
  if (text === undefined) return {};
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new UserError('The record of the submission is no JSON', {
      place: { file },
      remedy: 'Delete it: it only says what was made last.',
      cause,
    });
  }
  return parseWith(recordSchema, value, 'The record of the submission', { file });
}

/** Writers of one process take turns, so that none loses what another has just written. */
const turns = new Map<string, Promise<unknown>>();

/** Replaces the given parts of the record; a part given as undefined is removed. */
export function updateRecord(
  folder: string,
  patch: { [K in keyof SubmissionRecord]: SubmissionRecord[K] | undefined },
): Promise<SubmissionRecord> {
  const file = recordPath(folder);
  const update = async () => {
    const merged = { ...(await readRecord(folder)), ...patch };
    const record = parseWith(recordSchema, JSON.parse(JSON.stringify(merged)), 'The record', { file });
    await writeFileAtomic(file, `${JSON.stringify(record, null, 2)}\n`);
    return record;
  };
  const turn = (turns.get(file) ?? Promise.resolve()).then(update, update);
  turns.set(file, turn);
  const done = () => {
    if (turns.get(file) === turn) turns.delete(file);
  };
  turn.then(done, done);
  return turn;
}
