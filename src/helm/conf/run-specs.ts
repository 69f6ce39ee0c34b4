import { UserError } from '../../base/index.ts';
import {
  type Scenario,
  type ScenarioArguments,
  type ScenarioContext,
  scenarios,
} from '../scenarios/index.ts';
import { noAugmentation, type RunSpec } from '../spec.ts';
import { parseDescription, type RunEntry } from './entries.ts';
import { expand, expanderNames, isExpander, own, withModel } from './expanders.ts';
import { suggest } from './nearest.ts';

/** A run that can be made: what is written to run_spec.json, and the scenario behind it. */
export interface PlannedRun {
  readonly spec: RunSpec;
  readonly scenario: Scenario;
  readonly args: ScenarioArguments;
  /** What scenario.json holds. */
  readonly info: Scenario['info'];
}

export interface ExpandOptions extends ScenarioContext {
  /** HELM's name of the model, whatever the entries say: `neurips/<submission>`. */
  readonly model: string;
  /** Fills a run's missing `max_eval_instances`; an entry's own wins. */
  readonly maxEvalInstances?: number;
}

/** The runs that the entries stand for, in HELM's order, with HELM's names. */
export async function expandEntries(
  entries: readonly RunEntry[],
  options: ExpandOptions,
): Promise<PlannedRun[]> {
  const runs: PlannedRun[] = [];
  for (const entry of entries) runs.push(...(await expandEntry(entry, options)));
  return runs;
}

async function expandEntry(entry: RunEntry, options: ExpandOptions): Promise<PlannedRun[]> {
  const { scenario: name, arguments: all } = parseDescription(entry.description, entry.place);
  const scenario = scenarios.get(name);
  if (!scenario) {
    throw new UserError(`There is no scenario "${name}"`, {
      place: { ...entry.place, field: 'description' },
      remedy: suggest(name, scenarios.keys()),
    });
  }
  const isModel = (key: string) => key === 'model' || key === 'model_deployment';
  const args = Object.fromEntries([...all].filter(([key]) => !isExpander(key) && !isModel(key)));
  checkArguments(scenario, args, entry);
  const { tags = scenario.info.tags, ...run } = await scenario.run(args, options);
  const info = { ...scenario.info, tags };
  let specs: RunSpec[] = [{ ...run, data_augmenter_spec: noAugmentation }];
  for (const [key, value] of all) {
    if (key === 'model') specs = specs.map((spec) => withModel(spec, options.model));
    else if (isExpander(key)) specs = specs.flatMap((spec) => expand(spec, key, value, entry.place));
  }
  if (!all.has('model')) specs = specs.map((spec) => withModel(spec, options.model));
  return specs.map((spec) => ({ spec: finish(spec, entry, options), scenario, args, info }));
}

function checkArguments(scenario: Scenario, args: ScenarioArguments, entry: RunEntry): void {
  const place = { ...entry.place, field: 'description' };
  const parameters = Object.keys(scenario.parameters);
  for (const [key, value] of Object.entries(args)) {
    const parameter = own(scenario.parameters, key);
    if (!parameter) {
      throw new UserError(`${scenario.entry} has no argument "${key}"`, {
        place,
        remedy: suggest(key, [...parameters, ...expanderNames]),
      });
    }
    if (parameter.values && !parameter.values.includes(String(value))) {
      throw new UserError(`${key}=${value} is not a value that ${scenario.entry} knows`, {
        place,
        remedy: suggest(String(value), parameter.values),
      });
    }
  }
  const missing = parameters.filter((key) => scenario.parameters[key]?.required && !Object.hasOwn(args, key));
  if (missing.length > 0) {
    const values = scenario.parameters[missing[0] as string]?.values;
    throw new UserError(`${scenario.entry} needs ${missing.map((key) => `${key}=…`).join(' and ')}`, {
      place,
      remedy: values
        ? `${missing[0]} is one of ${values.join(', ')}.`
        : 'Add it behind the colon of the entry.',
    });
  }
}

/** What HELM does after expansion: fill in the number of instances, one trial without examples, groups, slashes. */
function finish(spec: RunSpec, entry: RunEntry, options: ExpandOptions): RunSpec {
  const adapter = { ...spec.adapter_spec };
  if (adapter.max_eval_instances === undefined && options.maxEvalInstances !== undefined) {
    adapter.max_eval_instances = options.maxEvalInstances;
  }
  if (adapter.max_train_instances === 0) adapter.num_train_trials = 1;
  const groups = entry.groups ?? [];
  const suffix = groups.length > 0 ? `,groups=${[...groups].sort().join('-')}` : '';
  return {
    ...spec,
    name: `${spec.name}${suffix}`.replaceAll('/', '_'),
    adapter_spec: adapter,
    groups: [...spec.groups, ...groups],
  };
}
