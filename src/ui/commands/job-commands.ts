import { type CommandTable, textOf } from '../command-table.ts';
import { commandIds } from '../ids.ts';
import type { Services } from '../services.ts';

export function jobCommands({ jobs, log }: Pick<Services, 'jobs' | 'log'>) {
  return {
    [commandIds.stopJob]: {
      title: 'Stop',
      inUntrusted: true,
      run(argument: unknown): void {
        const id = textOf(argument, 'id');
        if (id !== undefined) jobs.cancel(id);
      },
    },

    [commandIds.showLog]: {
      title: 'Show Log',
      inUntrusted: true,
      run: () => log.show(),
    },
  } satisfies Partial<CommandTable>;
}
