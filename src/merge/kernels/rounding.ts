import type { Rounding } from './kernels.ts';

const bits = new DataView(new ArrayBuffer(4));

/** A scalar rounded to f32 and then to a narrower format, each to nearest with ties to even, as the kernels do. */
export function roundScalar(rounding: Rounding, value: number): number {
  const x = Math.fround(value);
  if (rounding === 'F32' || !Number.isFinite(x)) return x;
  const [fractionBits, leastExponent] = rounding === 'BF16' ? [7, -126] : [10, -14];
  bits.setFloat32(0, x);
  const exponent = Math.max(((bits.getUint32(0) >>> 23) & 0xff) - 127, leastExponent);
  // A double of this size has its last bit where the result's last bit is: adding it does the rounding.
  const magic = 1.5 * 2 ** (52 + exponent - fractionBits);
  const rounded = x + magic - magic;
  if (rounding === 'F16' && Math.abs(rounded) > 65504) return Math.sign(x) * Number.POSITIVE_INFINITY;
  return Math.fround(rounded === 0 ? x * 0 : rounded);
}
