import { UserError } from '../../base/index.ts';
import type { Submission } from '../../submission/index.ts';
import { textOf } from '../command-table.ts';
import type { Services } from '../services.ts';

/** The submission that a command is about: the one of its argument (a tree row has one), else the active one. */
export async function targetOf(
  { submissions }: Pick<Services, 'submissions'>,
  argument: unknown,
): Promise<Submission> {
  if (!submissions.ready) await submissions.refresh();
  const folder = textOf(argument, 'folder');
  const submission = folder === undefined ? submissions.active : submissions.find(folder);
  if (submission !== undefined) return submission;
  throw new UserError(
    folder === undefined ? 'No submission is open' : `${folder} is no submission of this workspace`,
    { remedy: 'Create one, or open the demo submission.' },
  );
}
