/** A statistic as run files hold it, or as it is computed. */
export interface NamedSum {
  readonly name: {
    readonly name: string;
    readonly split?: string | null | undefined;
    readonly sub_split?: string | null | undefined;
    readonly perturbation?: unknown;
  };
  readonly count: number;
  readonly sum: number;
}

/** The split that a table shows: the scenario's main one, or the one that there is. */
export function shownSplit(stats: readonly NamedSum[], main: string): string {
  const splits = new Set(stats.map(({ name }) => name.split));
  return [main, 'test', 'valid'].find((split) => splits.has(split)) ?? main;
}

/**
 * Means of the metrics on the scenario's main split (or on the one there is), of unperturbed instances; the main metric
 * comes first. Where a metric is given for parts of the split only, the parts are taken together.
 */
export function mainMetrics(
  stats: readonly NamedSum[],
  main: { readonly metric: string; readonly split: string },
): Record<string, number> {
  const plain = stats.filter(({ name, count }) => name.perturbation == null && count > 0);
  const split = shownSplit(plain, main.split);
  const wanted = plain.filter(({ name }) => name.split === split);
  const whole = new Set(wanted.filter(({ name }) => name.sub_split == null).map(({ name }) => name.name));
  const sums = new Map<string, { sum: number; count: number }>();
  for (const { name, sum, count } of wanted) {
    if (name.sub_split != null && whole.has(name.name)) continue;
    const known = sums.get(name.name) ?? { sum: 0, count: 0 };
    sums.set(name.name, { sum: known.sum + sum, count: known.count + count });
  }
  const means = [...sums]
    .map(([name, { sum, count }]) => [name, sum / count] as const)
    .filter(([, mean]) => Number.isFinite(mean))
    .sort(([a], [b]) => Number(b === main.metric) - Number(a === main.metric));
  return Object.fromEntries(means);
}
