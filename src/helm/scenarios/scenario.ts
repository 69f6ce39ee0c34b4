import type { AdapterSpec, NewInstance, ObjectSpec, Split } from '../spec.ts';

/** The arguments of a run entry that are the scenario's own, as HELM parses them: numbers where they look like one. */
export type ScenarioArguments = Readonly<Record<string, string | number>>;

export interface ScenarioContext {
  /** Where scenario data lies, laid out as HELM's `<output-path>/scenarios`. */
  readonly data: string;
}

export interface Parameter {
  readonly required: boolean;
  /** The values that exist, where they can be listed. */
  readonly values?: readonly string[];
}

/** What a scenario says of a run before a model is chosen. */
export interface ScenarioRun {
  /** Start of the run's name. */
  readonly name: string;
  readonly scenario_spec: ObjectSpec;
  readonly adapter_spec: AdapterSpec;
  readonly metric_specs: readonly ObjectSpec[];
  readonly groups: readonly string[];
  /** Tags of scenario.json, where the data has its own. */
  readonly tags?: readonly string[];
}

/** A scenario that run entries can name. */
export interface Scenario {
  /** The name in run entries. */
  readonly entry: string;
  readonly parameters: Readonly<Record<string, Parameter>>;
  /** What scenario.json holds. `name` is also the folder of the scenario's data. */
  readonly info: {
    readonly name: string;
    readonly description: string;
    readonly tags: readonly string[];
    readonly definition_path: string;
  };
  /** The metric that tables show, and on which split. */
  readonly main: { readonly metric: string; readonly split: Split };
  run(args: ScenarioArguments, context: ScenarioContext): ScenarioRun | Promise<ScenarioRun>;
  /** All instances, train and evaluation, in HELM's order. */
  instances(args: ScenarioArguments, context: ScenarioContext): NewInstance[] | Promise<NewInstance[]>;
}

const sources = 'https://github.com/stanford-crfm/helm/blob/main/src/helm/benchmark/scenarios/';

/** The scenario's source in HELM. */
export function helmSource(file: string): string {
  return `${sources}${file}.py`;
}

/** An instance with a single, correct reference. */
export function answered(input: string, output: string, split: Split): NewInstance {
  return { input: { text: input }, references: [{ output: { text: output }, tags: ['correct'] }], split };
}
