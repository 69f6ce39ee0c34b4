import { NumpyRandom } from '../python/random.ts';

const resamples = 1000;

/** Draws are kept up to this many instances: the runs of a table mostly have equally many. */
const keptInstances = 4000;

let kept: { readonly n: number; readonly indexes: Uint16Array } | undefined;

/** The draws of all resamples of `n` values, to be asked for in their order. */
function draws(n: number): (at: number) => number {
  const random = new NumpyRandom(0);
  if (n > keptInstances) return () => random.randint(0, n);
  if (kept?.n !== n) {
    kept = { n, indexes: Uint16Array.from({ length: n * resamples }, () => random.randint(0, n)) };
  }
  const { indexes } = kept;
  return (at) => indexes[at] as number;
}

/**
 * Half the width of the 95 % percentile bootstrap interval of a mean; the same for the same values, whatever else is
 * computed. Null for fewer than two values.
 */
export function bootstrapInterval(values: readonly number[]): number | null {
  const n = values.length;
  if (n < 2) return null;
  if (values.every((value) => value === values[0])) return 0;
  const data = Float64Array.from(values);
  const next = draws(n);
  const means = new Float64Array(resamples);
  for (let i = 0; i < resamples; i++) {
    let sum = 0;
    for (let j = 0; j < n; j++) sum += data[next(i * n + j)] as number;
    means[i] = sum / n;
  }
  means.sort();
  return (quantile(means, 0.975) - quantile(means, 0.025)) / 2;
}

/** The difference between two runs on the same instances. */
export interface PairedTest {
  /** Instances that both have a value for. */
  readonly pairs: number;
  /** Mean of the differences, first minus second. */
  readonly difference: number;
  /** 95 % percentile interval of the difference. */
  readonly low: number;
  readonly high: number;
  /** Two-sided probability of so large a difference where there is none. */
  readonly p: number;
}

/**
 * Paired bootstrap test (Efron and Tibshirani 1993, chapter 16; Koehn 2004) of the mean difference between two runs on
 * the same instances; the same for the same values.
 * @param strata differences by instance, in parts that are resampled by themselves and count equally (such as subjects)
 * @returns null for fewer than two instances
 */
export function pairedTest(strata: readonly (readonly number[])[]): PairedTest | null {
  const parts = strata.filter(({ length }) => length > 0).map((values) => Float64Array.from(values));
  const pairs = parts.reduce((sum, { length }) => sum + length, 0);
  if (pairs < 2) return null;
  const mean = (of: (part: Float64Array, i: number) => number) => {
    let total = 0;
    for (const part of parts) {
      let sum = 0;
      for (let i = 0; i < part.length; i++) sum += of(part, i);
      total += sum / part.length;
    }
    return total / parts.length;
  };
  const difference = mean((part, i) => part[i] as number);
  const random = new NumpyRandom(0);
  const means = Float64Array.from({ length: resamples }, () =>
    mean((part) => part[random.randint(0, part.length)] as number),
  ).sort();
  // The differences around their own mean show how far chance alone carries the mean. Rounding is no difference.
  const reached = means.filter(
    (value) => Math.abs(value - difference) >= Math.abs(difference) - 1e-12,
  ).length;
  return {
    pairs,
    difference,
    low: quantile(means, 0.025),
    high: quantile(means, 0.975),
    p: (reached + 1) / (resamples + 1),
  };
}

/** Linear interpolation between sorted values, as NumPy's. */
function quantile(sorted: Float64Array, q: number): number {
  const at = q * (sorted.length - 1);
  const low = sorted[Math.floor(at)] as number;
  return low + (at % 1) * ((sorted[Math.ceil(at)] as number) - low);
}

/**
 * HELM's win rates: in each column the share of the others that a row beats, a tie counting half. Null where a row has
 * no value, and in columns with fewer than two values or of which neither more nor less is better (null).
 */
export function winRates(
  rows: readonly (readonly (number | null)[])[],
  lowerIsBetter: readonly (boolean | null)[],
): (number | null)[][] {
  const rates = rows.map((): (number | null)[] => lowerIsBetter.map(() => null));
  lowerIsBetter.forEach((lower, column) => {
    const values = rows.map((row) => row[column] ?? null);
    const known = values.filter((value) => value !== null);
    if (lower === null || known.length < 2) return;
    values.forEach((value, row) => {
      if (value === null) return;
      const worse = known.filter((other) => (lower ? other > value : other < value)).length;
      const equal = known.filter((other) => other === value).length;
      (rates[row] as (number | null)[])[column] = (worse + (equal - 1) / 2) / (known.length - 1);
    });
  });
  return rates;
}

/** HELM's mean win rate of a row: the plain mean over the columns in which it has one. */
export function meanWinRate(rates: readonly (number | null)[]): number | null {
  const known = rates.filter((rate) => rate !== null);
  return known.length === 0 ? null : known.reduce((sum, rate) => sum + rate, 0) / known.length;
}

/** The efficiency challenge's score among the runs at hand: its page shows the product and speaks of the mean. */
export interface ChallengeScore {
  /** Tasks that count: those with at least two runs. */
  readonly tasks: number;
  readonly product: number;
  readonly geometricMean: number;
}

/**
 * Product and geometric mean of a row's win rates by task.
 * @param counts whether each column is a task that counts
 * @returns null where the row lacks one of them, or there are none
 */
export function challengeScore(
  rates: readonly (number | null)[],
  counts: readonly boolean[],
): ChallengeScore | null {
  const known = rates.filter((rate, column) => counts[column] && rate !== null) as number[];
  const tasks = counts.filter(Boolean).length;
  if (tasks === 0 || known.length < tasks) return null;
  const product = known.reduce((value, rate) => value * rate, 1);
  return { tasks, product, geometricMean: product ** (1 / tasks) };
}
