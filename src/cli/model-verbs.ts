import { dirname, resolve } from 'node:path';
import { Option } from 'commander';
import { cancelledError, formatBytes, formatDuration, plural, UserError } from '../base/index.ts';
import type { Profile } from '../merge/index.ts';
import type { Provider } from '../model/index.ts';
import { integer, size } from './arguments.ts';
import { recordStage } from './record.ts';
import { textTable } from './table.ts';
import { type AddVerb, given } from './verb.ts';

export const inspectVerb: AddVerb = (program, run) => {
  program
    .command('inspect')
    .description('Say what a checkpoint holds and which tracks it fits.')
    .argument('<checkpoint>', 'folder in Hugging Face layout')
    .option('--json', 'print one JSON document')
    .action((checkpoint: string, options: { json?: boolean }) =>
      run(options, async () => {
        const [{ inspectCheckpoint }, { checkpointFits, loadTracks }] = await Promise.all([
          import('../checkpoint/index.ts'),
          import('../submission/index.ts'),
        ]);
        const inspection = await inspectCheckpoint(resolve(checkpoint));
        const tracks = (await loadTracks({ folder: process.cwd() })).map((track) =>
          checkpointFits(inspection, track),
        );
        const dtypes = Object.entries(inspection.dtypes).map(([dtype, count]) => `${dtype} ${count}`);
        const facts = [
          ['architecture', inspection.architecture],
          ['parameters', inspection.parameters.toLocaleString('en')],
          ['tensors', String(inspection.tensors)],
          ['dtypes', dtypes.join(', ')],
          ['weights', formatBytes(inspection.bytes)],
          ['tokenizer', inspection.tokenizer ?? 'none'],
          ...tracks.map((track) => [track.id, track.fits ? 'fits' : `does not fit: ${track.why ?? ''}`]),
        ];
        const width = Math.max(...facts.map(([name]) => (name ?? '').length));
        return {
          json: { ...inspection, tracks },
          text: facts.map(([name, value]) => `${(name ?? '').padEnd(width)}  ${value}`).join('\n'),
        };
      }),
    );
};

interface MergeVerbOptions {
  readonly workers?: number;
  readonly maxShardSize?: number;
  readonly profile?: Profile;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

export const mergeVerb: AddVerb = (program, run) => {
  program
    .command('merge')
    .description('Run a merge recipe and write the merged checkpoint.')
    .argument('<recipe>', 'mergekit-compatible YAML')
    .argument('<out>', 'folder to write')
    .option('--workers <n>', 'worker threads', integer(1, 256))
    .option('--max-shard-size <size>', 'cut the weights into files of at most this size (default: 5GB)', size)
    .addOption(
      new Option('--profile <name>', 'how results are rounded: once, or step by step as mergekit 0.1.5')
        .choices(['f32', 'mergekit-0.1.5'] satisfies Profile[])
        .default('f32'),
    )
    .option('--dry-run', 'say what the merge will read, write and need, and do nothing')
    .option('--json', 'print one JSON document')
    .action((recipe: string, out: string, options: MergeVerbOptions) =>
      run(options, async ({ signal, onProgress, note }) => {
        const { describeMerge, dryRun, merge, readRecipe } = await import('../merge/index.ts');
        const mergeOptions = {
          signal,
          onProgress,
          ...given({
            workers: options.workers,
            maxShardSize: options.maxShardSize,
            profile: options.profile,
          }),
        };
        if (options.dryRun) {
          const estimate = await dryRun(resolve(recipe), resolve(out), mergeOptions);
          for (const warning of estimate.warnings) note(`warning: ${warning}`);
          return {
            json: estimate,
            text: textTable([
              ['tensors', String(estimate.tensors)],
              ['parameters', estimate.parameters.toLocaleString('en')],
              ['to read', formatBytes(estimate.bytesRead)],
              ['to write', formatBytes(estimate.bytesWritten)],
              ['peak memory', formatBytes(estimate.peakRssBytes)],
              ['disk needed', formatBytes(estimate.diskNeeded)],
              ['disk free', formatBytes(estimate.diskFree)],
              ['time', `about ${formatDuration(estimate.estimatedSeconds)}`],
            ]),
          };
        }
        const made = describeMerge(await readRecipe(resolve(recipe)), resolve(out));
        const result = await merge(resolve(recipe), resolve(out), mergeOptions);
        for (const warning of result.warnings) note(`warning: ${warning}`);
        await recordStage(dirname(made.recipe), { merge: { ...made, at: new Date().toISOString() } }, note);
        return {
          json: result,
          text: `merged ${plural(result.tensors, 'tensor')} (${formatBytes(result.bytesWritten)}) into ${out} in ${formatDuration(result.seconds)}`,
        };
      }),
    );
};

interface ServeVerbOptions {
  readonly host: string;
  readonly port: number;
  readonly provider: Provider;
  readonly json?: boolean;
}

export const serveVerb: AddVerb = (program, run) => {
  program
    .command('serve')
    .description(
      'Serve a checkpoint over HTTP as the challenge wants it: /process, /tokenize, /decode, /health.',
    )
    .argument('<checkpoint>', 'folder in Hugging Face layout')
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--port <n>', 'port to listen on; 0 takes a free one', integer(0, 65535), 8080)
    .addOption(
      new Option('--provider <name>', 'where the model runs')
        .choices(['auto', 'cpu', 'webgpu', 'cuda', 'dml', 'coreml'])
        .default('auto'),
    )
    .action((checkpoint: string, options: ServeVerbOptions) =>
      run({}, async ({ signal, say }) => {
        const { serveCheckpoint } = await import('../serve/index.ts');
        const { host, port, provider } = options;
        const server = await serveCheckpoint({
          checkpoint: resolve(checkpoint),
          host,
          port,
          provider,
          signal,
        });
        say(`listening on ${server.url}`);
        signal.addEventListener('abort', () => void server.stop(), { once: true });
        const { code, message } = await server.exited;
        if (!signal.aborted && code !== 0) {
          throw new UserError(message ?? 'The model process ended unexpectedly', { kind: 'work' });
        }
        throw cancelledError(`Serving ${checkpoint}`);
      }),
    );
};
