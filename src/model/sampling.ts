/** A small generator of random numbers in [0, 1) with a seed: the same seed gives the same text. */
export function seededRandom(seed: number): () => number {
  // mulberry32
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** At and above this temperature tokens are drawn; below, the most likely one is taken. HELM sends 1e-7 for 0. */
export const greedyBelow = 1e-5;

/**
 * Draws a token: first the temperature, then the smallest set of the most likely tokens whose probabilities reach
 * `topP`, as transformers orders it.
 * @param logprobs log-probabilities of the whole vocabulary
 * @param random a number in [0, 1)
 */
export function sampleToken(
  logprobs: Float32Array,
  temperature: number,
  topP: number,
  random: number,
): number {
  const best = logprobs.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
  const weights = Float64Array.from(logprobs, (value) => Math.exp((value - best) / temperature));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  // All tokens only have to be ordered where some of them fall away.
  const order = topP < 1 ? ordered(weights) : undefined;
  let kept = total;
  let count = weights.length;
  if (order) {
    kept = 0;
    count = 0;
    while (count < order.length && (count === 0 || kept < topP * total))
      kept += weights[order[count++] ?? 0] ?? 0;
  }
  let left = random * kept;
  let last = 0;
  for (let at = 0; at < count; at++) {
    const token = order ? (order[at] ?? 0) : at;
    const weight = weights[token] ?? 0;
    if (weight === 0) continue;
    last = token;
    left -= weight;
    if (left < 0) break;
  }
  return last;
}

function ordered(weights: Float64Array): Uint32Array {
  const tokens = Uint32Array.from(weights, (_, token) => token);
  return tokens.sort((a, b) => (weights[b] ?? 0) - (weights[a] ?? 0) || a - b);
}
