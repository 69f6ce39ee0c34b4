import { NumpyRandom } from '../python/random.ts';

const resamples = 1000;

/**
 * Half the width of the 95 % percentile bootstrap interval of a mean; the same for the same values, whatever else is
 * computed. Null for fewer than two values.
 */
export function bootstrapInterval(values: readonly number[]): number | null {
  const n = values.length;
  if (n < 2) return null;
  if (values.every((value) => value === values[0])) return 0;
  const data = Float64Array.from(values);
  const random = new NumpyRandom(0);
  const means = new Float64Array(resamples);
  for (let i = 0; i < resamples; i++) {
    let sum = 0;
    for (let j = 0; j < n; j++) sum += data[random.randint(0, n)] as number;
    means[i] = sum / n;
  }
  means.sort();
  const quantile = (q: number) => {
    const at = q * (resamples - 1);
    const low = means[Math.floor(at)] as number;
    return low + (at % 1) * ((means[Math.ceil(at)] as number) - low);
  };
  return (quantile(0.975) - quantile(0.025)) / 2;
}

/**
 * HELM's mean win rate: in each column the share of the others that a row beats, a tie counting half, averaged over the
 * columns. Columns with fewer than two values, or of which neither more nor less is better (null), do not count.
 */
export function meanWinRates(
  rows: readonly (readonly (number | null)[])[],
  lowerIsBetter: readonly (boolean | null)[],
): (number | null)[] {
  const rates = rows.map((): number[] => []);
  lowerIsBetter.forEach((lower, column) => {
    const values = rows.map((row) => row[column] ?? null);
    const known = values.filter((value) => value !== null);
    if (lower === null || known.length < 2) return;
    values.forEach((value, row) => {
      if (value === null) return;
      const worse = known.filter((other) => (lower ? other > value : other < value)).length;
      const equal = known.filter((other) => other === value).length;
      rates[row]?.push((worse + (equal - 1) / 2) / (known.length - 1));
    });
  });
  return rates.map((of) => (of.length === 0 ? null : of.reduce((sum, rate) => sum + rate, 0) / of.length));
}
