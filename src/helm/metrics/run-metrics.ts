import type { AdapterSpec, Instance, ObjectSpec } from '../spec.ts';
import { type Confidence, calibrationStats } from './calibration.ts';
import { ClassificationScores } from './classification.ts';
import {
  type AnsweredState,
  languageModelStats,
  perplexityStats,
  referenceStats,
  requestStats,
} from './generation.ts';
import { contextOf, Stat, type StatContext, StatMap, statKey } from './stat.ts';
import { mergeWorstCase } from './worst-case.ts';

/** One metric class of HELM's over a run. Answers arrive in order: trial by trial, perturbed versions beside the original. */
interface RunMetric {
  /** Takes an answer; returns what it counts for by itself, if anything. */
  add(state: AnsweredState): readonly Stat[];
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

/** Statistics of each answer, summed up, with what HELM derives from the sums (HELM's BasicGenerationMetric). */
class GenerationMetric implements RunMetric {
  private readonly names: readonly string[];
  private readonly adapter: AdapterSpec;
  private trial = new StatMap();
  private worst = new StatMap();
  private family: { readonly id: string; readonly stats: (readonly Stat[])[] } | undefined;
  private confidences = new ByContext(() => ({ answers: [] as Confidence[], measured: false }));
  private sums = new ByContext(() => new Map<string, Stat>());

  constructor(names: readonly string[], adapter: AdapterSpec) {
    this.names = names;
    this.adapter = adapter;
  }

  add(state: AnsweredState): readonly Stat[] {
    const { instance } = state;
    const bare = [
      ...requestStats(state, this.adapter),
      ...(instance.references.length > 0 ? referenceStats(state, this.names, this.adapter) : []),
      ...languageModelStats(state),
    ];
    const context = contextOf(instance);
    const stats = bare.map((stat) => stat.copy({ name: stat.name.name, ...context }));
    for (const stat of stats) this.trial.merge(stat);
    this.noteForDerived(instance, bare);
    if (this.family?.id !== instance.id) {
      this.endFamily();
      this.family = { id: instance.id, stats: [] };
    }
    this.family?.stats.push(stats);
    return stats;
  }

  endTrial(): readonly Stat[] {
    this.endFamily();
    for (const stat of this.sums.flatMap(perplexityStats)) this.trial.merge(stat);
    // Servers that report no log-probabilities report zeros: nothing to calibrate.
    const calibrated = this.confidences.flatMap(({ answers, measured }) =>
      measured ? calibrationStats(answers) : [],
    );
    for (const stat of calibrated) this.trial.merge(stat);
    for (const stat of this.worst.values()) this.trial.merge(stat);
    const stats = this.trial.values();
    this.trial = new StatMap();
    this.worst = new StatMap();
    this.confidences = new ByContext(() => ({ answers: [], measured: false }));
    this.sums = new ByContext(() => new Map());
    return stats;
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

  private endFamily(): void {
    if (this.family) mergeWorstCase(this.family.stats, this.worst);
    this.family = undefined;
  }
}

/** The number of instances of each context. */
class InstanceCountMetric implements RunMetric {
  private counts = new ByContext(() => ({ count: 0 }));

  add({ instance }: AnsweredState): readonly Stat[] {
    this.counts.of(instance).count++;
    return [];
  }

  endTrial(): readonly Stat[] {
    const stats = this.counts.flatMap(({ count }) => [new Stat({ name: 'num_instances' }).add(count)]);
    this.counts = new ByContext(() => ({ count: 0 }));
    return stats;
  }
}

class ClassificationMetric implements RunMetric {
  private scores = new ByContext(() => new ClassificationScores());

  add(state: AnsweredState): readonly Stat[] {
    this.scores.of(state.instance).add(state);
    return [];
  }

  endTrial(): readonly Stat[] {
    const stats = this.scores.flatMap((scores) => scores.stats());
    this.scores = new ByContext(() => new ClassificationScores());
    return stats;
  }
}

function createMetric(spec: ObjectSpec, adapter: AdapterSpec): RunMetric | undefined {
  const { names } = spec.args;
  switch (spec.class_name.split('.').at(-1)) {
    case 'BasicGenerationMetric':
      return new GenerationMetric(Array.isArray(names) ? names : [], adapter);
    case 'InstancesPerSplitMetric':
      return new InstanceCountMetric();
    case 'ClassificationMetric':
      return new ClassificationMetric();
    default:
      // What is scored reference by reference has no statistics where a whole answer is asked for.
      return undefined;
  }
}

/** All metrics of a run: HELM's aggregation over instances, then trials. */
export class RunMetrics {
  private readonly metrics: readonly RunMetric[];
  private readonly totals: readonly StatMap[];

  constructor(specs: readonly ObjectSpec[], adapter: AdapterSpec) {
    this.metrics = specs.flatMap((spec) => createMetric(spec, adapter) ?? []);
    this.totals = this.metrics.map(() => new StatMap());
  }

  /** The statistics of one answer, by metric class; classes that have none of single answers are left out. */
  add(state: AnsweredState): (readonly Stat[])[] {
    return this.metrics.map((metric) => metric.add(state)).filter((stats) => stats.length > 0);
  }

  endTrial(): void {
    this.metrics.forEach((metric, index) => {
      for (const stat of metric.endTrial()) this.totals[index]?.merge(stat.takeMean());
    });
  }

  stats(): Stat[] {
    return this.totals.flatMap((total) => total.values());
  }
}
