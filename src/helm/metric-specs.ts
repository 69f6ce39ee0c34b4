import type { ObjectSpec } from './spec.ts';

const basic = 'helm.benchmark.metrics.basic_metrics';

/** String metrics of generated text, with what HELM always measures beside them. */
export function generationMetrics(names: readonly string[]): ObjectSpec[] {
  return [{ class_name: `${basic}.BasicGenerationMetric`, args: { names } }];
}

export const instanceCount: ObjectSpec = { class_name: `${basic}.InstancesPerSplitMetric`, args: {} };

/** {@link generationMetrics}, the metrics of separately scored references, and the number of instances. */
export function basicMetrics(names: readonly string[]): ObjectSpec[] {
  return [
    ...generationMetrics(names),
    { class_name: `${basic}.BasicReferenceMetric`, args: {} },
    instanceCount,
  ];
}

export function exactMatchMetrics(): ObjectSpec[] {
  return basicMetrics(['exact_match', 'quasi_exact_match', 'prefix_exact_match', 'quasi_prefix_exact_match']);
}

export function classificationMetrics(): ObjectSpec[] {
  return [{ class_name: 'helm.benchmark.metrics.classification_metrics.ClassificationMetric', args: {} }];
}
