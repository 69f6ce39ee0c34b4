import { Stat, type StatMap, statKey } from './stat.ts';

/** Statistics of one instance and of its perturbed versions. */
export type InstanceFamily = readonly (readonly Stat[])[];

interface Kin {
  readonly bare: Stat['name'];
  original: Stat | undefined;
  readonly perturbed: Stat[];
}

/**
 * HELM's worst case of each metric over an instance and its perturbed versions, merged into `into`: over all robustness
 * and all fairness perturbations, and for each perturbation beside the original value. The smallest value counts as the
 * worst, also of metrics of which less is better.
 */
export function mergeWorstCase(family: InstanceFamily, into: StatMap): void {
  const kin = new Map<string, Kin>();
  for (const stat of family.flat()) {
    const { perturbation, ...bare } = stat.name;
    const key = statKey(bare);
    const entry: Kin = kin.get(key) ?? { bare, original: undefined, perturbed: [] };
    kin.set(key, entry);
    if (perturbation) entry.perturbed.push(stat);
    else entry.original = stat;
  }
  for (const { bare, original, perturbed } of kin.values()) {
    for (const kind of ['robustness', 'fairness'] as const) {
      const all = new Stat({
        ...bare,
        perturbation: {
          name: kind,
          robustness: kind === 'robustness',
          fairness: kind === 'fairness',
          computed_on: 'worst',
        },
      });
      for (const stat of perturbed) if (stat.name.perturbation?.[kind]) all.merge(stat);
      if (original) all.merge(original);
      if (all.count > 0) into.merge(new Stat(all.name).add(all.min));
    }
    for (const stat of perturbed) {
      const { perturbation } = stat.name;
      if (!perturbation) continue;
      const worst = stat.copy({ ...bare, perturbation: { ...perturbation, computed_on: 'worst' } });
      if (original) {
        worst.merge(original);
        into.merge(original.copy({ ...bare, perturbation: { ...perturbation, computed_on: 'original' } }));
      }
      if (worst.count > 0) into.merge(new Stat(worst.name).add(worst.min));
    }
  }
}
