import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { kernelsUrl, UserError } from '../../base/index.ts';

/** Storage formats that the kernels read; they write all but F64. */
export type Format = 'BF16' | 'F16' | 'F32' | 'F64';

/** The format that each result is rounded to before it goes on; `F32` is no rounding at all. */
export type Rounding = 'BF16' | 'F16' | 'F32';

/**
 * The exports of assembly/index.ts. Pointers are bytes into the memory, multiples of 16; all work on `n` f32
 * values in buffers with room for `n` rounded up to a multiple of eight.
 */
interface Exports {
  decodeBf16: Convert;
  decodeF16: Convert;
  decodeF32: Convert;
  decodeF64: Convert;
  encodeBf16: Convert;
  encodeF16: Convert;
  encodeF32: Convert;
  zero(target: number, n: number): void;
  roundBf16: InPlace;
  roundF16: InPlace;
  addF32: Binary;
  addBf16: Binary;
  addF16: Binary;
  subtractF32: Binary;
  subtractBf16: Binary;
  subtractF16: Binary;
  scaleF32: WithScalar;
  scaleBf16: WithScalar;
  scaleF16: WithScalar;
  divideF32: WithScalar;
  divideBf16: WithScalar;
  divideF16: WithScalar;
  addScaledF32: Accumulate;
  addScaledBf16: Accumulate;
  addScaledF16: Accumulate;
  addScaledFused: Accumulate;
}

type Convert = (source: number, target: number, n: number) => void;
type InPlace = (x: number, n: number) => void;
type Binary = (a: number, b: number, target: number, n: number) => void;
type WithScalar = (x: number, scalar: number, n: number) => void;
type Accumulate = (x: number, weight: number, sum: number, n: number) => void;
type ByRounding<F> = Readonly<Record<Rounding, F>>;

/** Compiles the kernels once; the module can be sent to workers. */
export async function loadKernelModule(): Promise<WebAssembly.Module> {
  const file = fileURLToPath(kernelsUrl());
  try {
    return await WebAssembly.compile(await readFile(file));
  } catch (cause) {
    throw new UserError('The merge kernels of this installation are missing or damaged', {
      kind: 'work',
      place: { file },
      remedy: 'Install the extension again, or run `npm run build` in a clone.',
      cause,
    });
  }
}

/** The kernels over one memory, by what they do and how they round. `R` is the rounding of the record's key. */
export class Kernels {
  /** Stored values to f32; exact but for F64, which is rounded to nearest. */
  readonly decode: Readonly<Record<Format, Convert>>;
  /** f32 to stored values, to nearest, ties to even; every NaN becomes the format's quiet one. */
  readonly encode: ByRounding<Convert>;
  /** target = 0 */
  readonly zero: InPlace;
  /** x = R(x) */
  readonly round: ByRounding<InPlace>;
  /** target = R(a + b) */
  readonly add: ByRounding<Binary>;
  /** target = R(a - b) */
  readonly subtract: ByRounding<Binary>;
  /** x = R(x * f32(factor)) */
  readonly scale: ByRounding<WithScalar>;
  /** x = R(x / f32(divisor)) */
  readonly divide: ByRounding<WithScalar>;
  /** sum = sum + R(x * f32(weight)), the sum in f32 */
  readonly addScaled: ByRounding<Accumulate>;
  /** sum = fma(x, f32(weight), sum) */
  readonly addScaledFused: Accumulate;

  constructor(module: WebAssembly.Module, memory: WebAssembly.Memory) {
    const { exports } = new WebAssembly.Instance(module, { env: { memory } });
    const k = exports as unknown as Exports;
    this.decode = { BF16: k.decodeBf16, F16: k.decodeF16, F32: k.decodeF32, F64: k.decodeF64 };
    this.encode = { BF16: k.encodeBf16, F16: k.encodeF16, F32: k.encodeF32 };
    this.zero = k.zero;
    this.round = { BF16: k.roundBf16, F16: k.roundF16, F32: () => undefined };
    this.add = { BF16: k.addBf16, F16: k.addF16, F32: k.addF32 };
    this.subtract = { BF16: k.subtractBf16, F16: k.subtractF16, F32: k.subtractF32 };
    this.scale = { BF16: k.scaleBf16, F16: k.scaleF16, F32: k.scaleF32 };
    this.divide = { BF16: k.divideBf16, F16: k.divideF16, F32: k.divideF32 };
    this.addScaled = { BF16: k.addScaledBf16, F16: k.addScaledF16, F32: k.addScaledF32 };
    this.addScaledFused = k.addScaledFused;
  }
}
