import type { WorkOptions } from '../../base/index.ts';
import type { Inspection } from '../../checkpoint/index.ts';
import type { DoctorReport } from '../../doctor/index.ts';
import type { EvaluateOptions, Evaluation, ScoreTable } from '../../helm/index.ts';
import type { MergeResult } from '../../merge/index.ts';
import type { Package } from '../../pack/index.ts';
import type { ContractReport } from '../../serve/index.ts';
import type { Track } from '../../submission/index.ts';

/**
 * The work that is too long for the extension host: each runs in a thread of its own (worker.ts), so what goes in and
 * comes out is plain data.
 */
export const tasks = {
  merge: async (
    { recipe, out, workers }: { recipe: string; out: string; workers?: number },
    work: WorkOptions,
  ): Promise<MergeResult> => {
    const { merge } = await import('../../merge/index.ts');
    return merge(recipe, out, { ...work, ...(workers === undefined ? {} : { workers }) });
  },

  inspect: async ({
    checkpoint,
    folder,
  }: {
    checkpoint: string;
    folder?: string;
  }): Promise<{
    inspection: Inspection;
    tracks: { id: string; name: string; fits: boolean; why?: string }[];
  }> => {
    const { inspectCheckpoint } = await import('../../checkpoint/index.ts');
    const { checkpointFits, loadTracks } = await import('../../submission/index.ts');
    const inspection = await inspectCheckpoint(checkpoint);
    const tracks = await loadTracks(folder === undefined ? {} : { folder });
    return {
      inspection,
      tracks: tracks.map((track) => ({ name: track.name, ...checkpointFits(inspection, track) })),
    };
  },

  checkEndpoint: async ({ url }: { url: string }, work: WorkOptions): Promise<ContractReport> => {
    const { checkContract } = await import('../../serve/index.ts');
    return checkContract(url, work);
  },

  evaluate: async (
    { url, ...options }: { url: string } & EvaluateOptions,
    work: WorkOptions,
  ): Promise<Evaluation> => {
    const { evaluate } = await import('../../helm/index.ts');
    return evaluate(url, { ...options, ...work });
  },

  readScores: async ({ out, baseline }: { out: string; baseline?: string }): Promise<ScoreTable> => {
    const { readScores } = await import('../../helm/index.ts');
    return readScores(out, baseline === undefined ? {} : { baseline });
  },

  checkSubmission: async (
    { folder, track }: { folder: string; track?: Track },
    { signal }: WorkOptions,
  ): Promise<DoctorReport> => {
    const { runDoctor } = await import('../../doctor/index.ts');
    return runDoctor(folder, { ...(track && { track }), ...(signal && { signal }) });
  },

  packageSubmission: async (
    { folder, ...options }: { folder: string; track?: Track; out?: string; force?: boolean },
    work: WorkOptions,
  ): Promise<Package> => {
    const { pack } = await import('../../pack/index.ts');
    return pack(folder, { ...options, ...work });
  },
} satisfies Record<string, (input: never, work: WorkOptions) => Promise<unknown>>;

export type TaskName = keyof typeof tasks;
export type TaskInput<N extends TaskName> = Parameters<(typeof tasks)[N]>[0];
export type TaskResult<N extends TaskName> = Awaited<ReturnType<(typeof tasks)[N]>>;
