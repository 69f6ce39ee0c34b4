import type { Instance, Perturbation, Split } from '../spec.ts';

/** Which statistic: the metric, and the instances that it is about. */
export interface StatName {
  readonly name: string;
  readonly split?: Split;
  readonly sub_split?: string;
  readonly perturbation?: Perturbation;
}

/** The instances that a statistic is about. */
export type StatContext = Omit<StatName, 'name'>;

export function contextOf(instance: Instance): StatContext {
  const { split, sub_split, perturbation } = instance;
  return {
    split,
    ...(sub_split === undefined ? {} : { sub_split }),
    ...(perturbation === undefined ? {} : { perturbation }),
  };
}

/** Equal for names that HELM takes to be the same. */
export function statKey({ name, split, sub_split, perturbation }: StatName): string {
  return `${name}\n${split ?? ''}\n${sub_split ?? ''}\n${perturbation ? JSON.stringify(perturbation) : ''}`;
}

/** HELM's running statistic: population variance, undefined fields until something is added. */
export class Stat {
  readonly name: StatName;
  count = 0;
  sum = 0;
  sum_squared = 0;
  min: number | undefined;
  max: number | undefined;

  constructor(name: StatName) {
    this.name = name;
  }

  get mean(): number | undefined {
    return this.count === 0 ? undefined : this.sum / this.count;
  }

  get variance(): number | undefined {
    const { mean } = this;
    if (mean === undefined) return undefined;
    return Math.max(0, this.sum_squared / this.count - mean * mean);
  }

  add(value: number | boolean | undefined): this {
    if (value === undefined) return this;
    const x = Number(value);
    this.sum += x;
    this.sum_squared += x * x;
    this.min = this.min === undefined ? x : Math.min(this.min, x);
    this.max = this.max === undefined ? x : Math.max(this.max, x);
    this.count++;
    return this;
  }

  merge(other: Stat): this {
    this.sum += other.sum;
    this.sum_squared += other.sum_squared;
    if (other.min !== undefined)
      this.min = this.min === undefined ? other.min : Math.min(this.min, other.min);
    if (other.max !== undefined)
      this.max = this.max === undefined ? other.max : Math.max(this.max, other.max);
    this.count += other.count;
    return this;
  }

  /** A statistic of the mean alone: what one trial counts for. */
  takeMean(): Stat {
    return this.count === 0 ? this : new Stat(this.name).add(this.mean);
  }

  copy(name: StatName = this.name): Stat {
    return new Stat(name).merge(this);
  }

  get finite(): boolean {
    return [this.sum, this.sum_squared, this.min ?? 0, this.max ?? 0].every(Number.isFinite);
  }

  /** As it is written to disk. */
  toJson() {
    const { name, count, sum, sum_squared, min, max, mean, variance } = this;
    const stddev = variance === undefined ? undefined : Math.sqrt(variance);
    return { name: { ...name }, count, sum, sum_squared, min, max, mean, variance, stddev };
  }
}

/** Statistics by name, in the order of their first appearance. */
export class StatMap {
  private readonly stats = new Map<string, Stat>();

  merge(stat: Stat): void {
    const key = statKey(stat.name);
    const known = this.stats.get(key);
    if (known) known.merge(stat);
    else this.stats.set(key, stat.copy());
  }

  values(): Stat[] {
    return [...this.stats.values()];
  }
}
