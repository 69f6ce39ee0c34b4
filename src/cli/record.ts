import { access } from 'node:fs/promises';
import { join } from 'node:path';
import type { SubmissionRecord } from '../submission/index.ts';

/**
 * Notes in a submission's record what a verb has made, so that the editor shows it. Folders without a
 * submission.yaml of ours are left as they are.
 */
export async function recordStage(folder: string, patch: SubmissionRecord): Promise<void> {
  const ours = await access(join(folder, 'submission.yaml')).then(
    () => true,
    () => false,
  );
  if (!ours) return;
  const { updateRecord } = await import('../submission/index.ts');
  await updateRecord(folder, patch);
}
