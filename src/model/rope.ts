import type { Rope } from './config.ts';

const round = Math.fround;

/**
 * The angle per position of each pair of a head's dimensions, `headSize / 2` values. Computed in single precision
 * step by step, as transformers does (Llama 3.1's scaling included): models were trained with these very numbers.
 */
export function ropeFrequencies(rope: Rope, headSize: number): Float32Array {
  const frequencies = Float32Array.from({ length: headSize / 2 }, (_, pair) =>
    round(1 / round(rope.theta ** round((2 * pair) / headSize))),
  );
  if (rope.type === 'default') return frequencies;
  if (rope.type === 'linear') return frequencies.map((frequency) => frequency / rope.factor);
  const { factor, lowFrequencyFactor, highFrequencyFactor, originalContext } = rope;
  return frequencies.map((frequency) => {
    const wavelength = (2 * Math.PI) / frequency;
    if (wavelength < originalContext / highFrequencyFactor) return frequency;
    if (wavelength > originalContext / lowFrequencyFactor) return frequency / factor;
    const smooth =
      (originalContext / wavelength - lowFrequencyFactor) / (highFrequencyFactor - lowFrequencyFactor);
    return ((1 - smooth) * frequency) / factor + smooth * frequency;
  });
}

/** Cosines and sines for the positions 0 to `positions - 1`, each [positions, headSize / 2]. */
export function ropeTables(
  frequencies: Float32Array,
  positions: number,
): { readonly cos: Float32Array; readonly sin: Float32Array } {
  const pairs = frequencies.length;
  const cos = new Float32Array(positions * pairs);
  const sin = new Float32Array(positions * pairs);
  for (let position = 0, at = 0; position < positions; position++) {
    for (let pair = 0; pair < pairs; pair++, at++) {
      const angle = round(position * (frequencies[pair] ?? 0));
      cos[at] = Math.cos(angle);
      sin[at] = Math.sin(angle);
    }
  }
  return { cos, sin };
}
