// The merge kernels: elementwise arithmetic over blocks of f32 in linear memory, and the way in and out of the
// formats that checkpoints are stored in. Compiled to dist/kernels.wasm by esbuild.mjs; called by ../kernels.ts.
//
// Rules that all of them share:
// - every operation is one IEEE f32 operation a lane; no relaxed SIMD, so the bytes are the same on every machine;
// - `n` is rounded up to a multiple of eight: buffers have that much room, and what lies beyond `n` is not used;
// - pointers are multiples of 16;
// - operations named …Bf16 and …F16 round each result to that format (to nearest, ties to even) before it goes on.

const NONE: i32 = 0;
const BF16: i32 = 1;
const F16: i32 = 2;

/** f32 lanes -> bf16 bits in the low half of each lane; every NaN becomes 0x7fc0. */
@inline function bf16Bits(x: v128): v128 {
  const odd = v128.and(i32x4.shr_u(x, 16), i32x4.splat(1));
  const bits = i32x4.shr_u(i32x4.add(x, i32x4.add(odd, i32x4.splat(0x7fff))), 16);
  return v128.bitselect(bits, i32x4.splat(0x7fc0), f32x4.eq(x, x));
}

/** f32 lanes -> f16 bits in the low half of each lane; every NaN becomes 0x7e00 with its sign. */
@inline function f16Bits(x: v128): v128 {
  const sign = v128.and(x, i32x4.splat(0x80000000));
  const abs = v128.xor(x, sign);
  // The exponent's bias goes from 127 to 15; 13 bits of the mantissa are rounded off.
  const odd = v128.and(i32x4.shr_u(abs, 13), i32x4.splat(1));
  const normal = i32x4.shr_u(i32x4.add(abs, i32x4.add(odd, i32x4.splat(0xfff - (112 << 23)))), 13);
  // Adding 0.5 makes the sum's last bit worth 2^-24, the step of f16 subnormals: the adder does the rounding.
  const half = f32x4.splat(0.5);
  const subnormal = i32x4.sub(f32x4.add(abs, half), half);
  let bits = v128.bitselect(subnormal, normal, i32x4.lt_s(abs, i32x4.splat(0x38800000)));
  bits = v128.bitselect(i32x4.splat(0x7c00), bits, i32x4.ge_s(abs, i32x4.splat(0x477ff000)));
  bits = v128.bitselect(i32x4.splat(0x7e00), bits, i32x4.gt_s(abs, i32x4.splat(0x7f800000)));
  return v128.or(bits, i32x4.shr_u(sign, 16));
}

/** f16 bits in the low half of each lane -> f32 lanes, exact; infinities and NaN stay what they are. */
@inline function f16Value(h: v128): v128 {
  const magnitude = v128.and(h, i32x4.splat(0x7fff));
  const sign = i32x4.shl(v128.xor(h, magnitude), 16);
  const scaled = f32x4.mul(i32x4.shl(magnitude, 13), f32x4.splat(reinterpret<f32>((127 + 112) << 23)));
  const special = v128.and(i32x4.ge_s(magnitude, i32x4.splat(0x7c00)), i32x4.splat(0x7f800000));
  return v128.or(v128.or(scaled, special), sign);
}

/** Rounds f32 lanes to a narrower format and back. */
@inline function round4(rounding: i32, x: v128): v128 {
  if (rounding == BF16) return i32x4.shl(bf16Bits(x), 16);
  if (rounding == F16) return f16Value(f16Bits(x));
  return x;
}

// ---- in and out of storage formats -------------------------------------------------------------------------

export function decodeBf16(source: usize, target: usize, n: i32): void {
  for (const end = target + (<usize>n << 2); target < end; target += 32, source += 16) {
    const bits = v128.load(source);
    v128.store(target, i32x4.shl(i32x4.extend_low_i16x8_u(bits), 16));
    v128.store(target, i32x4.shl(i32x4.extend_high_i16x8_u(bits), 16), 16);
  }
}

export function decodeF16(source: usize, target: usize, n: i32): void {
  for (const end = target + (<usize>n << 2); target < end; target += 32, source += 16) {
    const bits = v128.load(source);
    v128.store(target, f16Value(i32x4.extend_low_i16x8_u(bits)));
    v128.store(target, f16Value(i32x4.extend_high_i16x8_u(bits)), 16);
  }
}

export function decodeF32(source: usize, target: usize, n: i32): void {
  memory.copy(target, source, <usize>n << 2);
}

export function decodeF64(source: usize, target: usize, n: i32): void {
  for (const end = target + (<usize>n << 2); target < end; target += 16, source += 32) {
    v128.store(target, demote(v128.load(source), v128.load(source, 16)));
  }
}

export function encodeBf16(source: usize, target: usize, n: i32): void {
  for (const end = source + (<usize>n << 2); source < end; source += 32, target += 16) {
    const low = bf16Bits(v128.load(source));
    const high = bf16Bits(v128.load(source, 16));
    v128.store(target, i16x8.narrow_i32x4_u(low, high));
  }
}

export function encodeF16(source: usize, target: usize, n: i32): void {
  for (const end = source + (<usize>n << 2); source < end; source += 32, target += 16) {
    const low = f16Bits(v128.load(source));
    const high = f16Bits(v128.load(source, 16));
    v128.store(target, i16x8.narrow_i32x4_u(low, high));
  }
}

/** A copy that makes every NaN 0x7fc00000, because WebAssembly leaves open which NaN an operation returns. */
export function encodeF32(source: usize, target: usize, n: i32): void {
  for (const end = source + (<usize>n << 2); source < end; source += 16, target += 16) {
    const x = v128.load(source);
    v128.store(target, v128.bitselect(x, i32x4.splat(0x7fc00000), f32x4.eq(x, x)));
  }
}

// ---- arithmetic --------------------------------------------------------------------------------------------
// One exported function for each rounding: with the rounding as an argument, the optimizer would fold the loops
// into one that branches in every step.

export function zero(target: usize, n: i32): void {
  memory.fill(target, 0, <usize>n << 2);
}

/** x = R(x) */
@inline function round(rounding: i32, x: usize, n: i32): void {
  for (const end = x + (<usize>n << 2); x < end; x += 16) v128.store(x, round4(rounding, v128.load(x)));
}
export function roundBf16(x: usize, n: i32): void { round(BF16, x, n); }
export function roundF16(x: usize, n: i32): void { round(F16, x, n); }

/** target = R(a + b) */
@inline function add(rounding: i32, a: usize, b: usize, target: usize, n: i32): void {
  for (const end = target + (<usize>n << 2); target < end; target += 16, a += 16, b += 16) {
    v128.store(target, round4(rounding, f32x4.add(v128.load(a), v128.load(b))));
  }
}
export function addF32(a: usize, b: usize, target: usize, n: i32): void { add(NONE, a, b, target, n); }
export function addBf16(a: usize, b: usize, target: usize, n: i32): void { add(BF16, a, b, target, n); }
export function addF16(a: usize, b: usize, target: usize, n: i32): void { add(F16, a, b, target, n); }

/** target = R(a - b) */
@inline function subtract(rounding: i32, a: usize, b: usize, target: usize, n: i32): void {
  for (const end = target + (<usize>n << 2); target < end; target += 16, a += 16, b += 16) {
    v128.store(target, round4(rounding, f32x4.sub(v128.load(a), v128.load(b))));
  }
}
export function subtractF32(a: usize, b: usize, target: usize, n: i32): void { subtract(NONE, a, b, target, n); }
export function subtractBf16(a: usize, b: usize, target: usize, n: i32): void { subtract(BF16, a, b, target, n); }
export function subtractF16(a: usize, b: usize, target: usize, n: i32): void { subtract(F16, a, b, target, n); }

/** x = R(x * factor) */
@inline function scale(rounding: i32, x: usize, factor: f32, n: i32): void {
  const factors = f32x4.splat(factor);
  for (const end = x + (<usize>n << 2); x < end; x += 16) {
    v128.store(x, round4(rounding, f32x4.mul(v128.load(x), factors)));
  }
}
export function scaleF32(x: usize, factor: f32, n: i32): void { scale(NONE, x, factor, n); }
export function scaleBf16(x: usize, factor: f32, n: i32): void { scale(BF16, x, factor, n); }
export function scaleF16(x: usize, factor: f32, n: i32): void { scale(F16, x, factor, n); }

/** x = R(x / divisor) */
@inline function divide(rounding: i32, x: usize, divisor: f32, n: i32): void {
  const divisors = f32x4.splat(divisor);
  for (const end = x + (<usize>n << 2); x < end; x += 16) {
    v128.store(x, round4(rounding, f32x4.div(v128.load(x), divisors)));
  }
}
export function divideF32(x: usize, divisor: f32, n: i32): void { divide(NONE, x, divisor, n); }
export function divideBf16(x: usize, divisor: f32, n: i32): void { divide(BF16, x, divisor, n); }
export function divideF16(x: usize, divisor: f32, n: i32): void { divide(F16, x, divisor, n); }

/** sum = sum + R(x * weight); the sum itself stays f32 */
@inline function addScaled(rounding: i32, x: usize, weight: f32, sum: usize, n: i32): void {
  const weights = f32x4.splat(weight);
  for (const end = sum + (<usize>n << 2); sum < end; sum += 16, x += 16) {
    v128.store(sum, f32x4.add(v128.load(sum), round4(rounding, f32x4.mul(v128.load(x), weights))));
  }
}
export function addScaledF32(x: usize, weight: f32, sum: usize, n: i32): void { addScaled(NONE, x, weight, sum, n); }
export function addScaledBf16(x: usize, weight: f32, sum: usize, n: i32): void { addScaled(BF16, x, weight, sum, n); }
export function addScaledF16(x: usize, weight: f32, sum: usize, n: i32): void { addScaled(F16, x, weight, sum, n); }

@inline function demote(low: v128, high: v128): v128 {
  return v128.shuffle<i32>(f32x4.demote_f64x2_zero(low), f32x4.demote_f64x2_zero(high), 0, 1, 4, 5);
}

/**
 * sum = fma(x, weight, sum), as processors with such an instruction do it: the product is exact in f64, the sum
 * is rounded to f64 and then to f32 (that second rounding differs from a true fma once in about 2^29 sums).
 */
export function addScaledFused(x: usize, weight: f32, sum: usize, n: i32): void {
  const weights = f64x2.splat(<f64>weight);
  for (const end = sum + (<usize>n << 2); sum < end; sum += 16, x += 16) {
    const s = v128.load(sum);
    const v = v128.load(x);
    const low = f64x2.add(f64x2.promote_low_f32x4(s), f64x2.mul(f64x2.promote_low_f32x4(v), weights));
    const sHigh = v128.shuffle<i32>(s, s, 2, 3, 0, 1);
    const vHigh = v128.shuffle<i32>(v, v, 2, 3, 0, 1);
    const high = f64x2.add(f64x2.promote_low_f32x4(sHigh), f64x2.mul(f64x2.promote_low_f32x4(vHigh), weights));
    v128.store(sum, demote(low, high));
  }
}
