import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A run directory in HELM's layout, with what a score table reads of it. */
export interface RunFixture {
  readonly run: string;
  readonly scenario: string;
  /** Exact match of each instance, 0 or 1. */
  readonly values: readonly number[];
  readonly failed?: number;
}

const statName = (name: string) => ({ name, split: 'test' });

const stat = (name: string, values: readonly number[]) => {
  const sum = values.reduce((total, value) => total + value, 0);
  return { name: statName(name), count: values.length, sum };
};

/** Writes run directories below `<out>/runs/<suite>/`. */
export async function writeRuns(out: string, suite: string, runs: readonly RunFixture[]): Promise<void> {
  for (const { run, scenario, values, failed = 0 } of runs) {
    const name = `${scenario}:model=neurips_${run}`;
    const folder = join(out, 'runs', suite, name);
    await mkdir(folder, { recursive: true });
    const write = (file: string, value: unknown) =>
      writeFile(join(folder, file), JSON.stringify(value, undefined, 2));
    await write('run_spec.json', {
      name,
      scenario_spec: { class_name: `fixture.${scenario}`, args: {} },
      adapter_spec: { method: 'generation', model: `neurips/${run}`, model_deployment: `neurips/${run}` },
      groups: [scenario],
    });
    await write('stats.json', [
      { ...stat('num_instances', [values.length]) },
      ...(values.length > 0 ? [{ ...stat('exact_match', values), count: 1, sum: mean(values) }] : []),
    ]);
    await write(
      'per_instance_stats.json',
      values.map((value, at) => ({
        instance_id: `id${at}`,
        train_trial_index: 0,
        stats: [stat('exact_match', [value])],
      })),
    );
    if (failed > 0) {
      await write(
        'failures.json',
        Array.from({ length: failed }, (_, at) => ({ instance_id: `failed${at}` })),
      );
    }
  }
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
