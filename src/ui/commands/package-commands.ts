import { formatBytes, plural } from '../../base/index.ts';
import type { DoctorReport } from '../../doctor/index.ts';
import type { Package } from '../../pack/index.ts';
import { type CommandTable, textOf } from '../command-table.ts';
import { commandIds } from '../ids.ts';
import type { Services } from '../services.ts';
import { runTask } from '../tasks/client.ts';
import { targetOf } from './target.ts';

export function packageCommands(services: Pick<Services, 'submissions' | 'stages' | 'reports' | 'work'>) {
  const { reports, stages, work } = services;
  return {
    [commandIds.checkSubmission]: {
      title: 'Check Submission',
      async run(argument: unknown): Promise<DoctorReport> {
        const { folder, track, name } = await targetOf(services, argument);
        const report = await work.run({ kind: 'doctor', title: `check ${name}`, folder }, async (context) => {
          const value = await runTask('checkSubmission', { folder, track }, context);
          const { error, warning } = value.summary;
          return { value, outcome: `${plural(error, 'error')}, ${plural(warning, 'warning')}` };
        });
        reports.set(folder, report);
        return report;
      },
    },

    [commandIds.packageSubmission]: {
      title: 'Package Submission',
      async run(argument: unknown): Promise<Package> {
        const { folder, track, name } = await targetOf(services, argument);
        const out = textOf(argument, 'out');
        const made = await work.run({ kind: 'pack', title: `package ${name}`, folder }, async (context) => {
          const input = { folder, track, ...(out === undefined ? {} : { out }) };
          const value = await runTask('packageSubmission', input, context);
          const files = plural(value.entries.length, 'file');
          return { value, outcome: `${files}, ${formatBytes(value.bytes)}` };
        });
        const { updateRecord } = await import('../../submission/index.ts');
        const { file, sha256, bytes } = made;
        await updateRecord(folder, { package: { file, sha256, bytes, at: new Date().toISOString() } });
        await stages.refresh();
        return made;
      },
    },
  } satisfies Partial<CommandTable>;
}
