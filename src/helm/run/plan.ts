import { isAbsolute, join, resolve } from 'node:path';
import { UserError } from '../../base/index.ts';
import { readRunEntries } from '../conf/entries.ts';
import { expandEntries, type PlannedRun } from '../conf/run-specs.ts';
import { augment } from '../perturbations/index.ts';
import { chooseInstances, sampleExamples, withIds } from '../prompt/examples.ts';
import { type Instance, isCorrect } from '../spec.ts';
import { findSuite } from '../suites.ts';

/** A run with what it asks: for each trial the examples, and the instances in order. */
export interface PreparedRun extends PlannedRun {
  readonly evaluation: readonly Instance[];
  /** `examples[trial]` stand in every prompt of that trial. */
  readonly examples: readonly (readonly Instance[])[];
}

export interface PlanOptions {
  readonly suite: string;
  readonly out: string;
  readonly name?: string;
  readonly maxEvalInstances?: number;
  readonly data?: string;
}

export interface Plan {
  /** Name of the suite or conf file. */
  readonly suite: string;
  readonly runs: readonly PreparedRun[];
}

/** A part of a path that we choose a name for: a suite's folder, a submission's name. */
export function checkName(value: string, field: string): string {
  if (/^[\p{L}\p{N}_][\p{L}\p{N}._+-]*$/u.test(value)) return value;
  throw new UserError(`"${value}" cannot be the ${field}`, {
    place: { field },
    remedy: 'Use letters, digits, ".", "-" and "_".',
  });
}

/** Reads the suite, expands its entries and chooses the instances and examples of every run. */
export async function plan(options: PlanOptions): Promise<Plan> {
  const suite = await findSuite(options.suite);
  const model = `neurips/${checkName(options.name ?? 'local', 'name')}`;
  const data = options.data === undefined ? join(options.out, 'scenarios') : options.data;
  const context = { data: isAbsolute(data) ? data : resolve(data) };
  const { maxEvalInstances } = options;
  const planned = await expandEntries(await readRunEntries(suite.file), {
    ...context,
    model,
    ...(maxEvalInstances === undefined ? {} : { maxEvalInstances }),
  });
  if (planned.length === 0) {
    throw new UserError('The suite has no entries', { place: { file: suite.file } });
  }
  refuseDuplicates(planned, suite.file);
  const runs: PreparedRun[] = [];
  // Runs of one entry differ in what they do with the instances; only the last ones are kept.
  let last: { readonly key: string; readonly instances: readonly Instance[] } | undefined;
  for (const run of planned) {
    const key = JSON.stringify([run.scenario.entry, run.args]);
    if (last?.key !== key)
      last = { key, instances: withIds(await run.scenario.instances(run.args, context)) };
    runs.push(await prepare(run, last.instances, context));
  }
  return { suite: suite.name, runs };
}

function refuseDuplicates(runs: readonly PlannedRun[], file: string): void {
  const seen = new Set<string>();
  for (const { spec } of runs) {
    if (seen.has(spec.name)) {
      throw new UserError(`Two entries make the run ${spec.name}: the second would replace the first`, {
        place: { file },
        remedy: 'Take one of them out.',
      });
    }
    seen.add(spec.name);
  }
}

async function prepare(
  run: PlannedRun,
  instances: readonly Instance[],
  context: { readonly data: string },
): Promise<PreparedRun> {
  const adapter = run.spec.adapter_spec;
  const { train, evaluation } = chooseInstances(instances, adapter);
  const unanswerable = evaluation.find(
    ({ references }) => references.length > 0 && !references.some(isCorrect),
  );
  if (unanswerable) {
    throw new UserError(
      `Instance ${unanswerable.id} of ${run.spec.name} has references, but none is correct`,
      {
        remedy: 'HELM stops there too: tag the right reference with "correct".',
      },
    );
  }
  const trials = Array.from({ length: adapter.num_train_trials }, (_, trial) => trial);
  const augmented = await augment(evaluation, run.spec.data_augmenter_spec, context.data);
  return {
    ...run,
    evaluation: augmented,
    examples: trials.map((trial) => sampleExamples(train, adapter, trial)),
  };
}
