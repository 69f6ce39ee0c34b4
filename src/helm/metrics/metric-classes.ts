import type { AdapterSpec, Instance } from '../spec.ts';
import { type Confidence, calibrationStats } from './calibration.ts';
import {
  type AnsweredState,
  languageModelStats,
  perplexityStats,
  referenceStats,
  requestStats,
} from './generation.ts';
import { contextOf, Stat, type StatContext, StatMap, statKey } from './stat.ts';
import { mergeWorstCase } from './worst-case.ts';

/**
 * One metric class of HELM's over a run. Instances arrive in order, trial by trial, perturbed versions beside the
 * original; each with its one answer, or with one for each reference.
 */
export interface RunMetric {
  /** Takes the answers for an instance; returns what they count for by themselves, if anything. */
  add(states: readonly AnsweredState[]): readonly Stat[];
  /** Ends a trial; returns the trial's statistics. */
  endTrial(): readonly Stat[];
}

/** Values by the context of the instances that they come from. */
class ByContext<T> {
  private readonly values = new Map<string, { readonly context: StatContext; readonly value: T }>();
  private readonly create: () => T;

  constructor(create: () => T) {
    this.create = create;
  }

  of(instance: Instance): T {
    const context = contextOf(instance);
    const key = statKey({ name: '', ...context });
    const known = this.values.get(key) ?? { context, value: this.create() };
    this.values.set(key, known);
    return known.value;
  }

  flatMap(stats: (value: T) => readonly Stat[]): Stat[] {
    return [...this.values.values()].flatMap(({ context, value }) =>
      stats(value).map((stat) => stat.copy({ ...context, name: stat.name.name })),
    );
  }
}

/** Sums up the statistics of instances, with the worst cases over their perturbed versions. */
class InstanceSums {
  private trial = new StatMap();
  private worst = new StatMap();
  private family: { readonly id: string; readonly stats: (readonly Stat[])[] } | undefined;

  /** Gives the statistics their context and takes them in. */
  add(instance: Instance, bare: readonly Stat[]): readonly Stat[] {
    const context = contextOf(instance);
    const stats = bare.map((stat) => stat.copy({ name: stat.name.name, ...context }));
    for (const stat of stats) this.trial.merge(stat);
    if (this.family?.id !== instance.id) {
      this.endFamily();
      this.family = { id: instance.id, stats: [] };
    }
    this.family?.stats.push(stats);
    return stats;
  }

  /** The trial's statistics with those that were derived from them, in HELM's order. */
  endTrial(derived: readonly Stat[]): readonly Stat[] {
    this.endFamily();
    for (const stat of derived) this.trial.merge(stat);
    for (const stat of this.worst.values()) this.trial.merge(stat);
    const stats = this.trial.values();
    this.trial = new StatMap();
    this.worst = new StatMap();
    return stats;
  }

  private endFamily(): void {
    if (this.family) mergeWorstCase(this.family.stats, this.worst);
    this.family = undefined;
  }
}

interface Calibrated {
  readonly answers: Confidence[];
  measured: boolean;
}

/** Statistics of each answer, summed up, with what HELM derives from the sums (HELM's BasicGenerationMetric). */
export class GenerationMetric implements RunMetric {
  private readonly names: readonly string[];
  private readonly adapter: AdapterSpec;
  private readonly instances = new InstanceSums();
  private confidences = new ByContext((): Calibrated => ({ answers: [], measured: false }));
  private sums = new ByContext(() => new Map<string, Stat>());

  constructor(names: readonly string[], adapter: AdapterSpec) {
    this.names = names;
    this.adapter = adapter;
  }

  add([state]: readonly AnsweredState[]): readonly Stat[] {
    if (!state || state.reference_index !== undefined) return [];
    const { instance } = state;
    const bare = [
      ...requestStats(state, this.adapter),
      ...(instance.references.length > 0 ? referenceStats(state, this.names, this.adapter) : []),
      ...languageModelStats(state),
    ];
    this.noteForDerived(instance, bare);
    return this.instances.add(instance, bare);
  }

  endTrial(): readonly Stat[] {
    const perplexity = this.sums.flatMap(perplexityStats);
    // Servers that report no log-probabilities report zeros: nothing to calibrate.
    const calibration = this.confidences.flatMap(({ answers, measured }) =>
      measured ? calibrationStats(answers) : [],
    );
    this.confidences = new ByContext(() => ({ answers: [], measured: false }));
    this.sums = new ByContext(() => new Map());
    return this.instances.endTrial([...perplexity, ...calibration]);
  }

  private noteForDerived(instance: Instance, bare: readonly Stat[]): void {
    const byName = new Map(bare.map((stat) => [stat.name.name, stat]));
    const sums = this.sums.of(instance);
    for (const name of ['logprob', 'num_perplexity_tokens', 'num_bytes']) {
      const stat = byName.get(name);
      if (stat) sums.set(name, (sums.get(name) ?? new Stat({ name })).merge(stat));
    }
    const group = this.confidences.of(instance);
    if ((byName.get('logprob')?.sum ?? 0) < 0) group.measured = true;
    const confidence = byName.get('max_prob')?.mean;
    const correct = byName.get('exact_match')?.mean;
    if (confidence !== undefined && correct !== undefined) {
      group.answers.push({ confidence, correct: correct >= 1 ? 1 : 0 });
    }
  }
}

/** Statistics that come from the answers for each instance alone. */
export class AnswerMetric implements RunMetric {
  private readonly instances = new InstanceSums();
  private readonly stats: (states: readonly AnsweredState[]) => readonly Stat[];

  constructor(stats: (states: readonly AnsweredState[]) => readonly Stat[]) {
    this.stats = stats;
  }

  add(states: readonly AnsweredState[]): readonly Stat[] {
    const [first] = states;
    const stats = first ? this.stats(states) : [];
    return first && stats.length > 0 ? this.instances.add(first.instance, stats) : [];
  }

  endTrial(): readonly Stat[] {
    return this.instances.endTrial([]);
  }
}

/** What gathers the answers of one context and is asked for statistics in the end. */
export interface Gatherer {
  add(state: AnsweredState): void;
  stats(): readonly Stat[];
}

/** Statistics of all instances of one context together; of several answers for an instance the first counts. */
export class GroupMetric implements RunMetric {
  private readonly create: () => Gatherer;
  private groups: ByContext<Gatherer>;

  constructor(create: () => Gatherer) {
    this.create = create;
    this.groups = new ByContext(create);
  }

  add([state]: readonly AnsweredState[]): readonly Stat[] {
    if (state) this.groups.of(state.instance).add(state);
    return [];
  }

  endTrial(): readonly Stat[] {
    const stats = this.groups.flatMap((group) => group.stats());
    this.groups = new ByContext(this.create);
    return stats;
  }
}

/** The number of instances of a context. */
export class InstanceCount implements Gatherer {
  private count = 0;

  add(): void {
    this.count++;
  }

  stats(): Stat[] {
    return [new Stat({ name: 'num_instances' }).add(this.count)];
  }
}
