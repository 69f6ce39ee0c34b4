import type { Json } from '../python/json.ts';
import type { AdapterSpec, ObjectSpec } from '../spec.ts';
import { BbqScores } from './bbq.ts';
import { ClassificationScores } from './classification.ts';
import type { AnsweredState } from './generation.ts';
import {
  AnswerMetric,
  GenerationMetric,
  GroupMetric,
  InstanceCount,
  type RunMetric,
} from './metric-classes.ts';
import { scoredReferenceStats } from './references.ts';
import { type Stat, StatMap } from './stat.ts';
import { stringMetrics } from './strings.ts';
import { summaryStats } from './summaries.ts';

function createMetric(spec: ObjectSpec, adapter: AdapterSpec): RunMetric | undefined {
  switch (spec.class_name.split('.').at(-1)) {
    case 'BasicGenerationMetric':
      return new GenerationMetric(metricNames(spec.args.names), adapter);
    case 'BasicReferenceMetric':
      return new AnswerMetric((states) => scoredReferenceStats(states, adapter));
    case 'InstancesPerSplitMetric':
      return new GroupMetric(() => new InstanceCount());
    case 'ClassificationMetric':
      return new GroupMetric(() => new ClassificationScores());
    case 'BBQMetric':
      return new GroupMetric(() => new BbqScores());
    case 'SummarizationMetric':
      return new AnswerMetric(([state]) => (state ? summaryStats(state) : []));
    default:
      return undefined;
  }
}

function metricNames(names: Json | undefined): string[] {
  return Array.isArray(names) ? names.filter((name) => typeof name === 'string') : [];
}

/** Names of string metrics that a run asks for and that are not computed. */
export function missingMetrics(specs: readonly ObjectSpec[]): string[] {
  return specs
    .flatMap(({ args }) => metricNames(args.names))
    .filter((name) => !Object.hasOwn(stringMetrics, name));
}

/** All metrics of a run: HELM's aggregation over instances, then trials. */
export class RunMetrics {
  private readonly metrics: readonly RunMetric[];
  private readonly totals: readonly StatMap[];

  constructor(specs: readonly ObjectSpec[], adapter: AdapterSpec) {
    this.metrics = specs.flatMap((spec) => createMetric(spec, adapter) ?? []);
    this.totals = this.metrics.map(() => new StatMap());
  }

  /** The statistics of one instance, by metric class. */
  add(states: readonly AnsweredState[]): (readonly Stat[])[] {
    return this.metrics.map((metric) => metric.add(states));
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
