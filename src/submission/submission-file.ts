import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseDocument } from 'yaml';
import { z } from 'zod';
import { writeFileAtomic } from '../base/index.ts';
import { parseYaml, readYaml } from './yaml-file.ts';

/** submission.yaml: optional; what it says overrides what the files show. */
export const submissionFileSchema = z.strictObject({
  name: z.string().min(1).optional().describe('Name of the submission, for people'),
  kind: z.enum(['merging', 'efficiency']).optional().describe('Which competition it is for'),
  track: z.string().min(1).optional().describe('Id of its track'),
});

export type SubmissionFile = z.infer<typeof submissionFileSchema>;

export const submissionFileName = 'submission.yaml';

/** submission.yaml of a folder; undefined when there is none. Throws a usage error that names the line at fault. */
export function readSubmissionFile(folder: string): Promise<SubmissionFile | undefined> {
  return readYaml(join(folder, submissionFileName), submissionFileSchema, 'submission.yaml');
}

/** Sets keys of submission.yaml and keeps the rest of it, comments included; makes the file when there is none. */
export async function updateSubmissionFile(folder: string, patch: SubmissionFile): Promise<SubmissionFile> {
  const path = join(folder, submissionFileName);
  const text = await readFile(path, 'utf8').catch(() => '');
  if (text !== '') parseYaml(text, submissionFileSchema, 'submission.yaml', path);
  const document = parseDocument(text);
  for (const [key, value] of Object.entries(patch)) document.set(key, value);
  const updated = document.toString();
  const parsed = parseYaml(updated, submissionFileSchema, 'submission.yaml', path);
  await writeFileAtomic(path, updated);
  return parsed;
}

/** JSON schema of submission.yaml, for the editor. */
export function submissionFileJsonSchema(): unknown {
  return z.toJSONSchema(submissionFileSchema);
}
