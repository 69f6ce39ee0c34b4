import { resolve } from 'node:path';
import { Argument } from 'commander';
import { plural } from '../base/index.ts';
import type { SubmissionKind, Track } from '../submission/index.ts';
import { textTable } from './table.ts';
import { type AddVerb, given } from './verb.ts';

interface InitOptions {
  readonly name?: string;
  readonly demo?: boolean;
  readonly track?: string;
  readonly json?: boolean;
}

export const initVerb: AddVerb = (program, run) => {
  program
    .command('init')
    .description('Create a submission: its files, ready to work on.')
    .addArgument(new Argument('<kind>', 'which competition').choices(['merging', 'efficiency']))
    .argument('<dir>', 'folder to create')
    .option('--name <name>', 'name of the submission (default: the name of the folder)')
    .option('--demo', 'also copy the tiny demo checkpoints and a recipe or configuration for them')
    .option('--track <id>', 'track (see the verb tracks)')
    .option('--json', 'print one JSON document')
    .action((kind: SubmissionKind, folder: string, options: InitOptions) =>
      run(options, async () => {
        const { scaffold } = await import('../submission/index.ts');
        const made = await scaffold({
          kind,
          folder: resolve(folder),
          ...given({ name: options.name, demo: options.demo, track: options.track }),
        });
        return {
          json: made,
          text: `created ${folder} (${made.track}): ${plural(made.files.length, 'file')}\n${made.files.map((file) => `  ${file}`).join('\n')}`,
        };
      }),
    );
};

export const detectVerb: AddVerb = (program, run) => {
  program
    .command('detect')
    .description('Say what kind of submission a folder is, and what shows it.')
    .argument('<dir>', 'folder to look at')
    .option('--json', 'print one JSON document')
    .action((folder: string, options: { json?: boolean }) =>
      run(options, async () => {
        const { describeSubmissions, detectSubmissions } = await import('../submission/index.ts');
        const submissions = await detectSubmissions(resolve(folder));
        return describeSubmissions(resolve(folder), submissions);
      }),
    );
};

function limitsOf(track: Track): string {
  const { parameters, gpuMemoryBytes } = track.limits;
  return [
    parameters && `${parameters.value / 1e9}B parameters`,
    gpuMemoryBytes && `${gpuMemoryBytes.value / 1e9} GB of GPU memory`,
  ]
    .filter(Boolean)
    .join(', ');
}

export const tracksVerb: AddVerb = (program, run) => {
  program
    .command('tracks')
    .description('List the tracks known, with limits, dates, links and where each value was read.')
    .option('--json', 'print one JSON document')
    .action((options: { json?: boolean }) =>
      run(options, async () => {
        const { describeTrack, loadTracks } = await import('../submission/index.ts');
        const tracks = await loadTracks({ folder: process.cwd() });
        return {
          json: tracks.map(describeTrack),
          text: textTable(tracks.map((track) => [track.id, track.name, limitsOf(track)])),
        };
      }),
    );
};
