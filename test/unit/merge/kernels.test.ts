import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { Kernels, loadKernelModule, type Rounding, roundScalar } from '../../../src/merge/kernels/index.ts';
import { fromBf16, fromF16, random, toBf16, toF16 } from '../../support/checkpoints.ts';

const memory = new WebAssembly.Memory({ initial: 64, maximum: 64, shared: true });
const roundings = ['F32', 'BF16', 'F16'] as const;
const [source, target, third] = [65536, 65536 + 2 ** 20, 65536 + 2 ** 21];
let kernels: Kernels;

before(async () => {
  kernels = new Kernels(await loadKernelModule(), memory);
});

const f32 = (pointer: number, n: number) => new Float32Array(memory.buffer, pointer, n);
const u32 = (pointer: number, n: number) => new Uint32Array(memory.buffer, pointer, n);
const u16 = (pointer: number, n: number) => new Uint16Array(memory.buffer, pointer, n);

/** Random f32 bit patterns: all exponents, both signs, NaN and infinities. */
function patterns(seed: number, n: number): Uint32Array {
  const next = random(seed);
  return Uint32Array.from({ length: n }, () => next() * 2 ** 32);
}

/** The rounding that the kernels should do, written down independently. */
function expected(rounding: Rounding, value: number): number {
  const x = Math.fround(value);
  if (rounding === 'BF16') return fromBf16(toBf16(x));
  return rounding === 'F16' ? fromF16(toF16(x)) : x;
}

function assertSame(actual: Float32Array, wanted: (i: number) => number, what: string): void {
  for (const [i, value] of actual.entries()) {
    if (!Object.is(value, wanted(i))) assert.fail(`${what}, element ${i}: ${value}, not ${wanted(i)}`);
  }
}

describe('formats', () => {
  for (const [format, value, quiet] of [
    ['BF16', fromBf16, 0x7fc0],
    ['F16', fromF16, 0x7e00],
  ] as const) {
    test(`all 65536 values of ${format} are decoded exactly and encoded back to themselves`, () => {
      for (let half = 0; half < 2; half++) {
        const n = 32768;
        u16(source, n).forEach((_, i, all) => {
          all[i] = half * n + i;
        });
        kernels.decode[format](source, target, n);
        assertSame(f32(target, n), (i) => value(half * n + i), `decode ${format}`);
        kernels.encode[format](target, third, n);
        for (const [i, bits] of u16(third, n).entries()) {
          const original = half * n + i;
          if (Number.isNaN(value(original))) assert.equal(bits & 0x7fff, quiet);
          else assert.equal(bits, original);
        }
      }
    });
  }

  for (const [format, oracle] of [
    ['BF16', toBf16],
    ['F16', toF16],
  ] as const) {
    test(`${format} is rounded to nearest, ties to even, for random and for halfway values`, () => {
      const n = 65536;
      for (let seed = 1; seed <= 4; seed++) {
        u32(source, n).set(patterns(seed, n));
        kernels.encode[format](source, target, n);
        const [values, bits] = [f32(source, n), u16(target, n)];
        for (let i = 0; i < n; i++) {
          const wanted = oracle(values[i] ?? 0);
          const got = (bits[i] ?? 0) & (Number.isNaN(values[i]) ? 0x7fff : 0xffff);
          if (got !== wanted)
            assert.fail(`${values[i]} became ${got.toString(16)}, not ${wanted.toString(16)}`);
        }
      }
      // Halfway between each f16 value and the next, and one f32 step to either side of that.
      const decode = format === 'F16' ? fromF16 : fromBf16;
      const finite = format === 'F16' ? 0x7c00 : 0x7f80;
      const step = new DataView(new ArrayBuffer(4));
      for (const nudge of [-1, 0, 1]) {
        for (let i = 0; i < finite; i++) {
          const above = i + 1 === finite ? (format === 'F16' ? 65536 : 2 ** 128) : decode(i + 1);
          step.setFloat32(0, (decode(i) + above) / 2);
          u32(source, finite)[i] = Math.max(0, step.getUint32(0) + nudge);
        }
        kernels.encode[format](source, target, finite);
        const values = f32(source, finite);
        for (const [i, bits] of u16(target, finite).entries()) {
          if (bits !== oracle(values[i] ?? 0)) assert.fail(`${format}: ${values[i]} became ${bits}`);
        }
      }
    });
  }

  test('F32 keeps its bits but for NaN, which becomes the quiet one; F64 is rounded to nearest', () => {
    const n = 4096;
    u32(source, n).set(patterns(5, n));
    kernels.encode.F32(source, target, n);
    const [before, after] = [u32(source, n), u32(target, n)];
    for (const [i, value] of f32(source, n).entries()) {
      assert.equal(after[i], Number.isNaN(value) ? 0x7fc00000 : before[i]);
    }
    const next = random(6);
    const doubles = Float64Array.from({ length: n }, () => (next() - 0.5) * 10 ** (next() * 60 - 30));
    new Float64Array(memory.buffer, source, n).set(doubles);
    kernels.decode.F64(source, target, n);
    assertSame(f32(target, n), (i) => Math.fround(doubles[i] ?? 0), 'decode F64');
  });
});

describe('arithmetic', () => {
  const n = 4096;
  /** Random operands of the sizes that weights have, with special values among them. */
  function operands(): { a: Float32Array; b: Float32Array } {
    const next = random(11);
    const special = [0, -0, 1e-40, -1e-7, 65504, 1e38, Number.POSITIVE_INFINITY, Number.NaN];
    const value = () =>
      next() < 0.05 ? (special[Math.floor(next() * 8)] ?? 0) : (next() - 0.5) * 2 ** (next() * 20 - 10);
    return { a: Float32Array.from({ length: n }, value), b: Float32Array.from({ length: n }, value) };
  }

  for (const rounding of roundings) {
    test(`every operation rounds once to ${rounding}`, () => {
      const { a, b } = operands();
      const at = (array: Float32Array, i: number) => array[i] ?? 0;
      const run = (operation: () => void) => {
        f32(source, n).set(a);
        f32(target, n).set(b);
        operation();
      };
      const check = (pointer: number, wanted: (i: number) => number, what: string) =>
        assertSame(f32(pointer, n), (i) => expected(rounding, wanted(i)), `${what} ${rounding}`);
      run(() => kernels.add[rounding](source, target, third, n));
      check(third, (i) => at(a, i) + at(b, i), 'add');
      run(() => kernels.subtract[rounding](source, target, third, n));
      check(third, (i) => at(a, i) - at(b, i), 'subtract');
      run(() => kernels.scale[rounding](source, 0.3, n));
      check(source, (i) => at(a, i) * Math.fround(0.3), 'scale');
      run(() => kernels.divide[rounding](source, 0.7, n));
      check(source, (i) => at(a, i) / Math.fround(0.7), 'divide');
      run(() => kernels.round[rounding](source, n));
      check(source, (i) => at(a, i), 'round');
      run(() => kernels.addScaled[rounding](source, 0.3, target, n));
      assertSame(
        f32(target, n),
        (i) => Math.fround(at(b, i) + expected(rounding, at(a, i) * Math.fround(0.3))),
        `addScaled ${rounding}`,
      );
    });

    test(`scalars are rounded to ${rounding} as blocks are`, () => {
      u32(source, n).set(patterns(12, n));
      const values = f32(source, n).slice();
      kernels.round[rounding](source, n);
      for (const [i, value] of f32(source, n).entries()) {
        const scalar = roundScalar(rounding, values[i] ?? 0);
        if (!Object.is(scalar, value)) assert.fail(`${values[i]} became ${scalar}, not ${value}`);
      }
    });
  }

  test('the fused sum rounds once where separate steps round twice', () => {
    const { a, b } = operands();
    f32(source, n).set(a);
    f32(target, n).set(b);
    kernels.addScaledFused(source, 0.3, target, n);
    let different = 0;
    assertSame(
      f32(target, n),
      (i) => {
        const fused = Math.fround((b[i] ?? 0) + (a[i] ?? 0) * Math.fround(0.3));
        const separate = Math.fround((b[i] ?? 0) + Math.fround((a[i] ?? 0) * Math.fround(0.3)));
        if (!Object.is(fused, separate)) different++;
        return fused;
      },
      'addScaledFused',
    );
    assert(different > 50, `only ${different} sums tell the two apart`);
  });

  test('lengths that are no multiple of eight leave what lies beyond the rounded length alone', () => {
    for (const length of [1, 7, 8, 9, 23]) {
      const room = Math.ceil(length / 8) * 8;
      f32(source, room + 8).fill(2);
      f32(target, room + 8).fill(5);
      kernels.zero(target, length);
      kernels.addScaled.F32(source, 3, target, length);
      kernels.encode.BF16(target, third, length);
      assert.deepEqual([...f32(target, length)], Array(length).fill(6));
      assert.deepEqual([...f32(target + room * 4, 8)], Array(8).fill(5));
      assert.deepEqual([...u16(third, length)], Array(length).fill(toBf16(6)));
    }
  });
});
