import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { mediaPath, throwIfCancelled, UserError, type WorkOptions, writeFileAtomic } from '../base/index.ts';
import type { ScoreTable } from '../helm/index.ts';
import { findingLine } from './findings.ts';

/** The rows of the demo's table: the checkpoints it compares, below the demo submission. */
const checkpoints = {
  base: 'models/base',
  'expert-1': 'models/expert-1',
  'expert-2': 'models/expert-2',
  merged: 'out/merged',
} as const;

type RowName = keyof typeof checkpoints;

const rowNames = Object.keys(checkpoints) as RowName[];

const now = () => new Date().toISOString();

export interface DemoStage {
  readonly name: string;
  readonly seconds: number;
  readonly pass: boolean;
}

/** One row of the table: exact match on the held-out instances of each task, 0 to 1. */
export interface DemoRow {
  readonly row: RowName;
  readonly task1: number;
  readonly task2: number;
  readonly mean: number;
}

export interface DemoResult {
  readonly stages: readonly DemoStage[];
  readonly table: readonly DemoRow[];
  /** Names of the two tasks, for people. */
  readonly tasks: readonly [string, string];
  /** Held-out instances behind a row of the table. */
  readonly instances: number;
  /** Absolute folder of the submission. */
  readonly submission: string;
  readonly archive: string;
}

export interface DemoOptions extends WorkOptions {
  /** Absolute folder to write; one that an earlier demo wrote is replaced. */
  readonly folder: string;
  /** Told about every stage when it has ended. */
  readonly onStage?: (stage: DemoStage) => void;
  /** Told why a stage does not pass. */
  readonly onNote?: (message: string) => void;
}

interface DemoFile {
  readonly tasks: readonly { readonly id: string; readonly name: string }[];
}

/** Says that a folder is an earlier demo's, so that the next one may replace it. */
const marker = join('.submission', 'demo');

/** Removes what an earlier demo wrote; anything else in its place is the user's and stays. */
async function clearEarlierDemo(folder: string): Promise<void> {
  const earlier = await readFile(join(folder, marker)).catch(() => undefined);
  if (earlier !== undefined) await rm(folder, { recursive: true });
}

function rowOf(table: ScoreTable, row: RowName, tasks: readonly string[]): DemoRow {
  const scores = table.rows.find(({ run }) => run === row);
  const [task1, task2] = tasks.map((task) => {
    const column = table.columns.findIndex(({ title }) => title === task);
    return scores?.cells[column]?.value;
  });
  if (typeof task1 !== 'number' || typeof task2 !== 'number') {
    throw new UserError(`The evaluation of ${row} has no score for the tasks ${tasks.join(' and ')}`, {
      kind: 'work',
    });
  }
  return { row, task1, task2, mean: (task1 + task2) / 2 };
}

/**
 * The whole way on the demo checkpoints: scaffold, merge, serve, HELM prompts, scores, doctor, package. Every stage
 * is the service that the verbs and the editor use.
 */
export async function runDemo({
  folder,
  signal,
  onProgress,
  onStage,
  onNote,
}: DemoOptions): Promise<DemoResult> {
  const work: WorkOptions = { ...(signal && { signal }), ...(onProgress && { onProgress }) };
  const stages: DemoStage[] = [];
  const stage = async <T>(name: string, run: () => Promise<T>, pass: (value: T) => boolean = () => true) => {
    throwIfCancelled(signal, 'The demo');
    const startedAt = performance.now();
    const value = await run();
    const done = { name, seconds: (performance.now() - startedAt) / 1000, pass: pass(value) };
    stages.push(done);
    onStage?.(done);
    return value;
  };

  const demo = JSON.parse(await readFile(mediaPath('demo/demo.json'), 'utf8')) as DemoFile;
  const tasks = demo.tasks.map(({ name }) => name) as [string, string];
  const out = join(folder, 'benchmark_output');
  const suite = 'sample';

  const { scaffold, updateRecord } = await import('../submission/index.ts');
  await stage('scaffold', async () => {
    await clearEarlierDemo(folder);
    await scaffold({ kind: 'merging', folder, demo: true, name: 'demo-submission' });
    await writeFileAtomic(
      join(folder, marker),
      'Made by `submission demo`, which replaces this folder when it runs again.\n',
    );
  });
  await stage('merge', async () => {
    const { describeMerge, merge, readRecipe } = await import('../merge/index.ts');
    const made = describeMerge(
      await readRecipe(join(folder, 'recipe.yml')),
      join(folder, checkpoints.merged),
    );
    await merge(made.recipe, made.out, work);
    await updateRecord(folder, { merge: { ...made, at: now() } });
  });
  const { checkContract, startServerProcess } = await import('../serve/index.ts');
  const serve = (row: RowName) =>
    startServerProcess({ checkpoint: join(folder, checkpoints[row]), port: 0, ...(signal && { signal }) });
  const server = await stage('serve', () => serve('merged'));
  try {
    await stage(
      'check',
      async () => {
        const { pass, checks } = await checkContract(server.url, work);
        for (const check of checks) if (!check.pass) onNote?.(`${check.id}: ${check.detail}`);
        return pass;
      },
      Boolean,
    );
    await stage(
      'prompts',
      async () => {
        const { evaluate } = await import('../helm/index.ts');
        const evaluateRow = async (row: RowName, url: string) => {
          const { runs } = await evaluate(url, { suite, out, name: row, ...work });
          for (const { name, problems } of runs)
            for (const problem of problems) onNote?.(`${name}: ${problem}`);
          return runs.every(({ failed }) => failed === 0);
        };
        const results = [await evaluateRow('merged', server.url)];
        for (const row of rowNames.filter((name) => name !== 'merged')) {
          const rowServer = await serve(row);
          try {
            results.push(await evaluateRow(row, rowServer.url));
          } finally {
            await rowServer.stop();
          }
        }
        const summary = `${rowNames.length} checkpoints`;
        await updateRecord(folder, {
          baseline: 'base',
          evaluate: { out, suite, name: 'merged', at: now(), summary },
        });
        return results;
      },
      (results) => results.every(Boolean),
    );
  } finally {
    await server.stop();
  }
  const table = await stage('scores', async () => {
    const { readScores } = await import('../helm/index.ts');
    const scores = await readScores(out, { baseline: 'base' });
    return { scores, rows: rowNames.map((row) => rowOf(scores, row, tasks)) };
  });
  await stage(
    'doctor',
    async () => {
      const { runDoctor } = await import('../doctor/index.ts');
      const { findings, summary } = await runDoctor(folder, signal ? { signal } : {});
      for (const finding of findings) if (finding.severity === 'error') onNote?.(findingLine(finding));
      return summary.error === 0;
    },
    Boolean,
  );
  const archive = await stage('package', async () => {
    const { pack } = await import('../pack/index.ts');
    return pack(folder, work);
  });
  const merged = table.scores.rows.find(({ run }) => run === 'merged');
  const instances = table.scores.columns.reduce(
    (sum, { title }, column) => sum + (tasks.includes(title) ? (merged?.cells[column]?.instances ?? 0) : 0),
    0,
  );
  return { stages, table: table.rows, tasks, instances, submission: folder, archive: archive.file };
}
