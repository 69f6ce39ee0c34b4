import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { resolve } from 'node:path';
import { Option } from 'commander';
import { formatBytes, plural } from '../base/index.ts';
import type { DoctorReport } from '../doctor/index.ts';
import type { Track } from '../submission/index.ts';
import { findingLine } from './findings.ts';
import { type AddVerb, given } from './verb.ts';

async function trackOf(id: string | undefined, folder: string): Promise<Track | undefined> {
  if (id === undefined) return undefined;
  const { findTrack, loadTracks } = await import('../submission/index.ts');
  return findTrack(await loadTracks({ folder }), id);
}

function reportText(report: DoctorReport): string {
  const { error, warning, info } = report.summary;
  const counts = `${plural(error, 'error')}, ${plural(warning, 'warning')}, ${info} info`;
  return [...report.findings.map(findingLine), counts].join('\n');
}

interface DoctorOptions {
  readonly track?: string;
  readonly format?: 'json' | 'sarif' | 'text';
  readonly json?: boolean;
}

export const doctorVerb: AddVerb = (program, run) => {
  program
    .command('doctor')
    .description('Say what would make the submission fail, leak or be disqualified. Nothing of it is run.')
    .argument('<dir>', 'folder of the submission')
    .option('--track <id>', 'track (default: what the folder shows)')
    .addOption(new Option('--format <format>', 'form of the report').choices(['json', 'sarif', 'text']))
    .option('--json', 'the same as --format json')
    .action((folder: string, options: DoctorOptions) =>
      run({ json: options.json === true || (options.format ?? 'text') !== 'text' }, async ({ signal }) => {
        const { runDoctor, toSarif } = await import('../doctor/index.ts');
        const track = await trackOf(options.track, resolve(folder));
        const report = await runDoctor(resolve(folder), { signal, ...given({ track }) });
        const sarif = options.format === 'sarif' && !options.json;
        return {
          json: sarif ? toSarif(report) : report,
          text: reportText(report),
          fit: report.summary.error === 0,
        };
      }),
    );
};

/** Hash and size of a file. */
async function digest(file: string): Promise<{ sha256: string; bytes: number }> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of createReadStream(file) as AsyncIterable<Buffer>) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  return { sha256: hash.digest('hex'), bytes };
}

interface PackVerbOptions {
  readonly track?: string;
  readonly out?: string;
  readonly form?: 'tar' | 'zip' | 'folder';
  readonly force?: boolean;
  readonly verify?: string;
  readonly json?: boolean;
}

export const packVerb: AddVerb = (program, run) => {
  program
    .command('pack')
    .description('Check the submission, make the archive of its track and verify the archive; or verify one.')
    .argument('[dir]', 'folder of the submission')
    .option('--track <id>', 'track (default: what the folder shows)')
    .option('--out <file>', 'archive to write')
    .addOption(
      new Option('--form <form>', 'form of the package (default: the track’s)').choices([
        'tar',
        'zip',
        'folder',
      ]),
    )
    .option('--force', 'pack in spite of errors; a found secret is refused all the same')
    .option('--verify <file>', 'verify an archive instead of making one')
    .option('--json', 'print one JSON document')
    .action((folder: string | undefined, options: PackVerbOptions, command) => {
      if ((folder === undefined) === (options.verify === undefined)) {
        command.error('error: give either a folder to pack or --verify with an archive');
      }
      return run(options, async ({ signal, onProgress }) => {
        const { pack, verifyPackage } = await import('../pack/index.ts');
        if (options.verify !== undefined) {
          const file = resolve(options.verify);
          const verification = await verifyPackage(file);
          const lines = verification.findings.map(findingLine);
          return {
            // The fields of a package, too: nobody need tell the two documents apart.
            json: { file, ...(await digest(file)), leftOut: [], ...verification },
            text: [
              ...lines,
              `${options.verify} ${verification.fit ? 'is fit to send' : 'is not fit to send'}`,
            ].join('\n'),
            fit: verification.fit,
          };
        }
        const source = resolve(folder ?? '');
        const track = await trackOf(options.track, source);
        const { form, force } = options;
        const out = options.out === undefined ? undefined : resolve(options.out);
        const made = await pack(source, { signal, onProgress, ...given({ track, form, force, out }) });
        return {
          json: made,
          text: `packed ${plural(made.entries.length, 'file')} (${formatBytes(made.bytes)}) into ${made.file}\nsha256 ${made.sha256}\nleft out: ${made.leftOut.map(({ path, why }) => `${path} (${why})`).join(', ') || 'nothing'}`,
          // Forced, it is packed with its errors.
          fit: !made.findings.some(({ severity }) => severity === 'error'),
        };
      });
    });
};
