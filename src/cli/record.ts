import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { describeError } from '../base/index.ts';
import type { SubmissionRecord } from '../submission/index.ts';

/**
 * Notes in a submission's record what a verb has made, so that the editor shows it. Folders without a
 * submission.yaml of ours are left as they are. A record that cannot be written is told on `note`: what was made stands.
 */
export async function recordStage(
  folder: string,
  patch: SubmissionRecord,
  note: (message: string) => void,
): Promise<void> {
  const ours = await access(join(folder, 'submission.yaml')).then(
    () => true,
    () => false,
  );
  if (!ours) return;
  const { updateRecord } = await import('../submission/index.ts');
  try {
    await updateRecord(folder, patch);
  } catch (error) {
    note(`warning: the editor will not see this result: ${describeError(error)}`);
  }
}
