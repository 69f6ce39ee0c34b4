import type { Kernels, Rounding } from '../kernels/index.ts';

/**
 * How results are rounded while they are computed. `f32`: all arithmetic in f32, one rounding at the end.
 * `mergekit-0.1.5`: every step rounded as that version rounds it, so that the bytes are the same.
 */
export type Profile = 'f32' | 'mergekit-0.1.5';

/** A parameter of a merge method, from which validation, the editor's schema, hover texts and documentation come. */
export interface ParameterSpec {
  readonly type: 'number' | 'boolean';
  /** Asked for once a tensor (`method`), for each input, or for each input but the base (`others`). */
  readonly scope: 'method' | 'inputs' | 'others';
  /** What applies when a recipe gives none; without it the parameter is required. */
  readonly default?: number | boolean;
  /** Values that make sense, for hover texts; others are allowed. */
  readonly range?: readonly [number, number];
  readonly description: string;
}

export type ParameterSpecs = Readonly<Record<string, ParameterSpec>>;

type ScalarOf<S extends ParameterSpec> = S['type'] extends 'number' ? number : boolean;

/** The values of a method's parameters for one tensor; lists follow the inputs (`inputs`) or the others (`others`). */
export type ValuesOf<P extends ParameterSpecs> = {
  readonly [K in keyof P]: P[K]['scope'] extends 'method' ? ScalarOf<P[K]> : readonly ScalarOf<P[K]>[];
};

/** {@link ValuesOf} of a method that is not known: what travels to the workers. */
export type ParameterValues = Readonly<Record<string, number | boolean | readonly (number | boolean)[]>>;

/** A tensor of one input inside a block. */
export interface Operand {
  /** Puts the block's values as f32 at `target`; in the compat profile rounded to the working format. */
  load(target: number): void;
}

/**
 * A few thousand elements of one tensor, small enough that all of it stays in the processor's cache. A method
 * reads operands, works on `n` f32 values at the given pointers with the kernels, and leaves the result in `out`.
 */
export interface Block {
  readonly n: number;
  readonly kernels: Kernels;
  readonly profile: Profile;
  /** What {@link Kernels} round to between steps; `F32` (no rounding) in the profile `f32`. */
  readonly rounding: Rounding;
  /** In the recipe's order, the base where it stands in it. */
  readonly inputs: readonly Operand[];
  readonly base: Operand | undefined;
  /** The inputs without the base. */
  readonly others: readonly Operand[];
  readonly out: number;
  /** Pointers to room for `n` values each. */
  readonly scratch: readonly [number, number];
  /** Rounds a scalar to f32 and then to {@link rounding}. */
  round(value: number): number;
}

/** How many inputs a method takes, and what it does with the base model. */
export interface InputContract {
  /** `ignored`: an input like any other. `required`: the others are compared with it. */
  readonly base: 'ignored' | 'required';
  /** Least number of inputs, the base included where it is required. */
  readonly least: number;
}

/** What a method's file says about it, typed by its own parameters. */
interface MethodDefinition<P extends ParameterSpecs, V> {
  /** As recipes write it. */
  readonly name: string;
  readonly title: string;
  /** One or two sentences for people who choose a method. */
  readonly description: string;
  /** The formula of one element, in plain text. */
  readonly formula: string;
  readonly paper?: { readonly title: string; readonly url: string };
  readonly inputs: InputContract;
  readonly parameters: P;
  /** Why these values cannot be used, if so; asked for every tensor before anything is read. */
  readonly check?: (values: V) => string | undefined;
  /** Merges one block. Elements must not depend on one another. */
  readonly merge: (block: Block, values: V) => void;
}

/** A merge method: one file each, and one line in the registry. */
export type MergeMethod = MethodDefinition<ParameterSpecs, ParameterValues>;

/**
 * Gives a method's functions the types of its own parameters. The engine hands them values that were resolved from
 * the same specification, so the cast is safe.
 */
export function defineMethod<const P extends ParameterSpecs>(
  method: MethodDefinition<P, ValuesOf<P>>,
): MergeMethod {
  return method as unknown as MergeMethod;
}

/**
 * The sum of a short row of scalars in f32, in the order in which torch adds a contiguous row: four running sums
 * below eight values, eight lanes from there on.
 */
export function sumRowF32(values: readonly number[]): number {
  const add = (a: number, b: number) => Math.fround(a + b);
  const lanes = values.length < 8 ? 4 : 8;
  const whole = values.length - (values.length % lanes);
  const sums = new Array<number>(lanes).fill(0);
  for (let i = 0; i < whole; i++) sums[i % lanes] = add(sums[i % lanes] ?? 0, Math.fround(values[i] ?? 0));
  const tail = values.slice(whole).map(Math.fround);
  if (lanes === 8) return sums.reduce(add, tail.reduce(add, 0));
  return [tail.reduce(add, sums[0] ?? 0), ...sums.slice(1)].reduce(add);
}
