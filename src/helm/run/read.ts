import { readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { z } from 'zod';
import { fromSystemError, parseWith, UserError } from '../../base/index.ts';
import { parseLooseJson } from '../python/json.ts';
import { failuresFile } from './directory.ts';
import { readJsonItems } from './read-json.ts';

// Run files as HELM reads them: unknown keys ignored, missing optional ones allowed.

const nameSchema = z.object({
  name: z.string(),
  split: z.string().nullish(),
  sub_split: z.string().nullish(),
  perturbation: z.record(z.string(), z.unknown()).nullish(),
});

const statSchema = z.object({
  name: nameSchema,
  count: z.number().default(0),
  sum: z.union([z.number(), z.nan(), z.literal([Infinity, -Infinity])]).default(0),
});

const specSchema = z.object({
  name: z.string(),
  scenario_spec: z.object({ class_name: z.string(), args: z.record(z.string(), z.unknown()).default({}) }),
  adapter_spec: z.object({
    method: z.string().default(''),
    model: z.string().default(''),
    model_deployment: z.string().default(''),
  }),
  groups: z.array(z.string()).default([]),
});

/** A statistic of a run file, as far as it is needed. */
export type RunStat = z.infer<typeof statSchema>;

/** A run directory, HELM's or ours, of any version. */
export interface Run {
  /** HELM's run name, from run_spec.json. */
  readonly name: string;
  /** Absolute. */
  readonly folder: string;
  /** HELM's name of the model: `neurips/base`. */
  readonly model: string;
  readonly groups: readonly string[];
  readonly scenarioArguments: Readonly<Record<string, unknown>>;
  readonly stats: readonly RunStat[];
  /** Instances that were asked, over all trials where known; failed ones included. */
  readonly instances: number;
  readonly failed: number;
  /** Milliseconds since the epoch. */
  readonly changedAt: number;
}

async function readJson(file: string): Promise<unknown> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw fromSystemError(error, 'Cannot read the run', file);
  });
  try {
    return parseLooseJson(text);
  } catch (cause) {
    throw new UserError('The run cannot be read: the file is no JSON', {
      place: { file },
      remedy: 'Run it again; a crash of helm-run can leave such a file.',
      cause,
    });
  }
}

/** Reads a run directory; throws a usage error that names the file that is missing or unusable. */
export async function readRun(folder: string): Promise<Run> {
  const specFile = join(folder, 'run_spec.json');
  const statsFile = join(folder, 'stats.json');
  const spec = parseWith(specSchema, await readJson(specFile), 'run_spec.json', { file: specFile });
  const stats = parseWith(z.array(statSchema), await readJson(statsFile), 'stats.json', { file: statsFile });
  const failures = join(folder, failuresFile);
  const failed = await stat(failures).then(
    async () =>
      parseWith(z.array(z.unknown()), await readJson(failures), failuresFile, { file: failures }).length,
    () => 0,
  );
  const { mtimeMs } = await stat(statsFile);
  const answered = stats
    .filter(({ name, count }) => name.name === 'num_instances' && name.perturbation == null && count > 0)
    .reduce((sum, { sum: instances, count }) => sum + instances / count, 0);
  const { model, model_deployment } = spec.adapter_spec;
  return {
    name: spec.name || basename(folder),
    folder,
    model: model_deployment || model,
    groups: spec.groups,
    scenarioArguments: spec.scenario_spec.args,
    stats,
    instances: answered + failed,
    failed,
    changedAt: mtimeMs,
  };
}

const perInstanceSchema = z.object({
  instance_id: z.string(),
  perturbation: z.unknown().optional(),
  stats: z.array(z.unknown()),
});

/**
 * Values of one metric by instance, unperturbed, on one split; the mean over trials where there are several.
 * Empty where the run has no such values on disk.
 */
export async function readInstanceValues(
  folder: string,
  metric: string,
  split: string,
): Promise<ReadonlyMap<string, number>> {
  const file = join(folder, 'per_instance_stats.json');
  const sums = new Map<string, { sum: number; count: number }>();
  if (!(await stat(file).catch(() => undefined))) return new Map();
  for await (const item of readJsonItems(file)) {
    const entry = perInstanceSchema.safeParse(item);
    if (!entry.success || entry.data.perturbation != null) continue;
    for (const candidate of entry.data.stats) {
      const found = wanted(candidate, metric, split);
      if (found === undefined) continue;
      const known = sums.get(entry.data.instance_id) ?? { sum: 0, count: 0 };
      sums.set(entry.data.instance_id, { sum: known.sum + found.sum, count: known.count + found.count });
    }
  }
  return new Map([...sums].map(([id, { sum, count }]) => [id, sum / count] as const));
}

/** The statistic, where it is the wanted one. The name is looked at first: most are not. */
function wanted(candidate: unknown, metric: string, split: string): RunStat | undefined {
  const name = (candidate as { name?: { name?: unknown; split?: unknown } } | null)?.name;
  if (name?.name !== metric || name.split !== split) return undefined;
  const parsed = statSchema.safeParse(candidate);
  return parsed.success && parsed.data.count > 0 && Number.isFinite(parsed.data.sum)
    ? parsed.data
    : undefined;
}
