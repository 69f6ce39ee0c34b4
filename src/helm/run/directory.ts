import { join } from 'node:path';
import type { AnsweredState } from '../metrics/generation.ts';
import type { Stat } from '../metrics/stat.ts';
import type { Json } from '../python/json.ts';
import type { Scenario } from '../scenarios/index.ts';
import type { Instance, RequestState, RunSpec } from '../spec.ts';
import { JsonListFile, joinLists, writeJson } from './json-file.ts';

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
  private readonly spec: RunSpec;
  private readonly info: Scenario['info'];
  private readonly states: JsonListFile;
  /** Statistics by instance, a list for each metric class: HELM writes one class after the other. */
  private readonly perInstance = new Map<number, JsonListFile>();
  private readonly failures: Json[] = [];

  private constructor(folder: string, spec: RunSpec, info: Scenario['info'], states: JsonListFile) {
    this.folder = folder;
    this.spec = spec;
    this.info = info;
    this.states = states;
  }

  static async create(folder: string, spec: RunSpec, info: Scenario['info']): Promise<RunDirectory> {
    const states = await JsonListFile.create(join(folder, 'scenario_state.json'), {
      object: { adapter_spec: specJson(spec).adapter_spec as Json },
      key: 'request_states',
    });
    return new RunDirectory(folder, spec, info, states);
  }

  /**
   * @param states the answers for one instance
   * @param stats their statistics, by metric class
   */
  async add(states: readonly AnsweredState[], stats: readonly (readonly Stat[])[]): Promise<void> {
    const [first] = states;
    if (!first) return;
    for (const state of states) await this.states.add(stateJson(state));
    for (const [metric, group] of stats.entries()) {
      if (group.length === 0) continue;
      const list = this.perInstance.get(metric) ?? (await JsonListFile.create(this.partFile(metric)));
      this.perInstance.set(metric, list);
      await list.add({ ...instanceKey(first.instance, first.train_trial_index), stats: statsJson(group) });
    }
  }

  addFailure({ instance, trial, error }: Failure): void {
    this.failures.push({ ...instanceKey(instance, trial), error });
  }

  async finish(stats: readonly Stat[]): Promise<void> {
    // Each file waits for the disk; side by side they wait together.
    await Promise.all([this.states.close(), ...[...this.perInstance.values()].map((list) => list.close())]);
    const metrics = [...this.perInstance.keys()].sort((a, b) => a - b);
    const parts = metrics.map((metric) => this.partFile(metric));
    await Promise.all([
      joinLists(parts, join(this.folder, 'per_instance_stats.json')),
      writeJson(join(this.folder, 'run_spec.json'), specJson(this.spec)),
      writeJson(join(this.folder, 'scenario.json'), { ...this.info }),
      writeJson(join(this.folder, 'stats.json'), statsJson(stats)),
      this.failures.length > 0 ? writeJson(join(this.folder, failuresFile), this.failures) : undefined,
    ]);
  }

  async abandon(): Promise<void> {
    await this.states.abandon();
    for (const list of this.perInstance.values()) await list.abandon();
  }

  private partFile(metric: number): string {
    return join(this.folder, `per_instance_stats.${metric}.part`);
  }
}

/** What tells an instance of a run from the others. */
function instanceKey({ id, perturbation }: Instance, trial: number): Record<string, Json> {
  return {
    instance_id: id,
    ...(perturbation === undefined ? {} : { perturbation: { ...perturbation } }),
    train_trial_index: trial,
  };
}
