import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { fromSystemError, parseWith, UserError } from '../../base/index.ts';
import { parseLooseJson } from '../python/json.ts';
import { splitLines } from '../python/text.ts';
import type { NewInstance } from '../spec.ts';

/** HELM's Instance as its JSON codec reads it: unknown keys ignored, missing optional ones allowed. */
const instanceSchema = z.object({
  input: z.object({ text: z.string().default('') }),
  references: z.array(
    z.object({ output: z.object({ text: z.string().default('') }), tags: z.array(z.string()) }),
  ),
  split: z.enum(['train', 'valid', 'test']),
  sub_split: z.string().nullish(),
  id: z.string().nullish(),
});

/**
 * Reads instances from a file of one JSON object a line. Lines end where Python's `splitlines` ends them, so a raw
 * U+2028 inside a text breaks the line here as it does in HELM.
 */
export async function readInstances(file: string): Promise<NewInstance[]> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw fromSystemError(error, 'Cannot read the instances', file);
  });
  const normalized = text.replace(/\r\n?/g, '\n');
  return splitLines(normalized).map((line, index) => {
    const place = { file, line: index + 1 };
    let value: unknown;
    try {
      value = parseLooseJson(line);
    } catch (cause) {
      const cut = line !== normalized.split('\n')[index];
      throw new UserError('The line is no JSON object', {
        place,
        remedy: cut
          ? 'The file holds a raw line separator (U+2028 or its like), at which HELM cuts lines: escape it as \\u2028.'
          : 'Write one instance a line: {"input": {"text": "…"}, "references": […], "split": "test"}.',
        cause,
      });
    }
    const { sub_split, id, ...instance } = parseWith(instanceSchema, value, 'The instance', place);
    return { ...instance, ...(sub_split ? { sub_split } : {}), ...(id ? { id } : {}) };
  });
}
