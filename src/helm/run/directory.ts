import { join } from 'node:path';
import type { AnsweredState } from '../metrics/generation.ts';
import type { Stat } from '../metrics/stat.ts';
import type { Json } from '../python/json.ts';
import type { Scenario } from '../scenarios/index.ts';
import type { Instance, RequestState, RunSpec } from '../spec.ts';
import { JsonListFile, writeJson } from './json-file.ts';

/** An instance without a usable answer, and why. */
export interface Failure {
  readonly instance: Instance;
  readonly trial: number;
  readonly error: string;
}

/** The file beside HELM's own in which failed instances are listed; HELM ignores it. */
export const failuresFile = 'failures.json';

function instanceJson(instance: Instance): Json {
  return { ...instance } as unknown as Json;
}

function stateJson({ completion, ...state }: AnsweredState): Json {
  const { text, logprob, tokens, request_time } = completion;
  const completions = [{ text, logprob, tokens: tokens.map((token) => ({ ...token })) }];
  return {
    instance: instanceJson(state.instance),
    reference_index: state.reference_index,
    request_mode: state.request_mode,
    train_trial_index: state.train_trial_index,
    output_mapping: state.output_mapping,
    request: requestJson(state.request),
    result: { success: true, embedding: [], completions, cached: false, request_time },
    num_train_instances: state.num_train_instances,
    prompt_truncated: state.prompt_truncated,
    num_conditioning_tokens: 0,
  };
}

function requestJson(request: RequestState['request']): Json {
  return { ...request };
}

function specJson(spec: RunSpec): Record<string, Json> {
  return { ...spec } as unknown as Record<string, Json>;
}

/** Statistics that JSON cannot hold are left out, as HELM leaves out those that are not a number. */
function statsJson(stats: readonly Stat[]): Json[] {
  return stats.filter((stat) => stat.finite).map((stat) => stat.toJson() as unknown as Json);
}

/** Writes HELM's five files of a run into a folder, answer by answer. */
export class RunDirectory {
  private readonly folder: string;
  private readonly states: JsonListFile;
  private readonly perInstance: JsonListFile;
  private readonly failures: Json[] = [];

  private constructor(folder: string, states: JsonListFile, perInstance: JsonListFile) {
    this.folder = folder;
    this.states = states;
    this.perInstance = perInstance;
  }

  static async create(folder: string, spec: RunSpec, scenario: Scenario): Promise<RunDirectory> {
    await writeJson(join(folder, 'run_spec.json'), specJson(spec));
    await writeJson(join(folder, 'scenario.json'), { ...scenario.info });
    const adapter = specJson(spec).adapter_spec as Json;
    const states = await JsonListFile.create(join(folder, 'scenario_state.json'), {
      object: { adapter_spec: adapter },
      key: 'request_states',
    });
    return new RunDirectory(
      folder,
      states,
      await JsonListFile.create(join(folder, 'per_instance_stats.json')),
    );
  }

  /**
   * @param states the answers for one instance
   * @param stats their statistics, by metric class
   */
  async add(states: readonly AnsweredState[], stats: readonly (readonly Stat[])[]): Promise<void> {
    const [first] = states;
    if (!first) return;
    for (const state of states) await this.states.add(stateJson(state));
    const { id, perturbation } = first.instance;
    for (const group of stats) {
      await this.perInstance.add({
        instance_id: id,
        perturbation: perturbation === undefined ? undefined : { ...perturbation },
        train_trial_index: first.train_trial_index,
        stats: statsJson(group),
      });
    }
  }

  addFailure({ instance, trial, error }: Failure): void {
    const { id, perturbation } = instance;
    this.failures.push({
      instance_id: id,
      perturbation: perturbation === undefined ? undefined : { ...perturbation },
      train_trial_index: trial,
      error,
    });
  }

  async finish(stats: readonly Stat[]): Promise<void> {
    await this.states.close();
    await this.perInstance.close();
    await writeJson(join(this.folder, 'stats.json'), statsJson(stats));
    if (this.failures.length > 0) await writeJson(join(this.folder, failuresFile), this.failures);
  }

  async abandon(): Promise<void> {
    await this.states.abandon();
    await this.perInstance.abandon();
  }
}
