import type { Stat } from '../metrics/stat.ts';
import type { Split } from '../spec.ts';

/** A statistic as run files hold it. */
export interface NamedMean {
  readonly name: {
    readonly name: string;
    readonly split?: string;
    readonly sub_split?: string;
    readonly perturbation?: unknown;
  };
  readonly count: number;
  readonly sum: number;
}

/**
 * Means of the metrics on the scenario's main split (or on the one there is), of unperturbed instances; the main metric
 * comes first. Where a metric is given for parts of the split only, the parts are taken together.
 */
export function mainMetrics(
  stats: readonly (NamedMean | Stat)[],
  main: { readonly metric: string; readonly split: Split | string },
): Record<string, number> {
  const plain = stats.filter(({ name, count }) => name.perturbation === undefined && count > 0);
  const splits = new Set(plain.map(({ name }) => name.split));
  const split = splits.has(main.split as Split)
    ? main.split
    : ['test', 'valid'].find((s) => splits.has(s as Split));
  const wanted = plain.filter(({ name }) => name.split === split);
  const whole = wanted.filter(({ name }) => name.sub_split === undefined);
  const sums = new Map<string, { sum: number; count: number }>();
  const add = ({ name, sum, count }: NamedMean | Stat) => {
    const entry = sums.get(name.name) ?? { sum: 0, count: 0 };
    sums.set(name.name, { sum: entry.sum + sum, count: entry.count + count });
  };
  for (const stat of whole) add(stat);
  for (const stat of wanted) {
    if (stat.name.sub_split !== undefined && !whole.some(({ name }) => name.name === stat.name.name))
      add(stat);
  }
  const means = [...sums]
    .map(([name, { sum, count }]) => [name, sum / count] as const)
    .filter(([, mean]) => Number.isFinite(mean))
    .sort(([a], [b]) => Number(b === main.metric) - Number(a === main.metric));
  return Object.fromEntries(means);
}
