import type { MergeMethod, ParameterSpec, ParameterValues } from '../methods/index.ts';
import type { FieldPath, Parameters, Scalar, Setting } from './schema.ts';

/** What a parameter is asked for: a tensor's name and how far into the layers of its slice it lies. */
export interface Asked {
  readonly tensor: string;
  /** 0 at the first layer and for tensors outside the layers, 1 at the last layer. */
  readonly position: number;
}

const trueWords = new Set(['true', 't', 'yes', 'y', 'on', '1']);
const falseWords = new Set(['false', 'f', 'no', 'n', 'off', '0']);

/** A scalar as a parameter's type, with the words and spellings that mergekit accepts; undefined when it is none. */
function convert(type: ParameterSpec['type'], value: Scalar): number | boolean | undefined {
  if (type === 'boolean') {
    const word = String(value).toLowerCase();
    return trueWords.has(word) ? true : falseWords.has(word) ? false : undefined;
  }
  if (typeof value === 'boolean') return value ? 1 : 0;
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined;
  const number = value.trim() === '' ? Number.NaN : Number(value);
  return Number.isFinite(number) ? number : undefined;
}

function* scalarsOf(setting: Setting, path: FieldPath): Generator<[Scalar, FieldPath]> {
  if (Array.isArray(setting)) {
    for (const [index, item] of setting.entries()) yield* scalarsOf(item, [...path, index]);
  } else if (typeof setting === 'object') {
    yield* scalarsOf(setting.value, [...path, 'value']);
  } else {
    yield [setting, path];
  }
}

/** A remark on one field of a recipe's parameters. */
export interface ParameterRemark {
  readonly severity: 'error' | 'warning';
  readonly message: string;
  readonly path: FieldPath;
}

/**
 * Checks one `parameters` map against what the method takes: names, types, and the level at which they stand.
 * After this, resolving a value can only fail because there is none.
 * @param level `model` for the parameters of one model, `shared` for those above it
 */
export function* checkParameters(
  method: MergeMethod,
  parameters: Parameters,
  path: FieldPath,
  level: 'model' | 'shared',
): Generator<ParameterRemark> {
  for (const [name, setting] of Object.entries(parameters)) {
    const spec = Object.hasOwn(method.parameters, name) ? method.parameters[name] : undefined;
    const at = [...path, name];
    if (spec === undefined) {
      yield {
        severity: 'warning',
        message: `${method.name} takes no parameter ${name}; it is ignored`,
        path: at,
      };
      continue;
    }
    if (spec.scope === 'method' && level === 'model') {
      const message = `${name} belongs to the whole recipe; here it is ignored`;
      yield { severity: 'warning', message, path: at };
    }
    const wanted = spec.type === 'number' ? 'a number' : 'true or false';
    for (const [value, place] of scalarsOf(setting, at)) {
      if (convert(spec.type, value) !== undefined) continue;
      const message = `must be ${wanted}, not ${JSON.stringify(value) ?? String(value)}`;
      yield { severity: 'error', message, path: place };
    }
  }
}

function converted(type: ParameterSpec['type'], value: Scalar): number | boolean {
  const result = convert(type, value);
  if (result === undefined) throw new Error(`A checked recipe holds the parameter value ${String(value)}`);
  return result;
}

/** A gradient's value at a position: linear between its points; for a boolean the point at or before it. */
function alongGradient(type: ParameterSpec['type'], points: readonly Scalar[], position: number) {
  const scaled = position * (points.length - 1);
  const index = Math.trunc(scaled);
  const from = converted(type, points[index] ?? 0);
  if (type !== 'number') return from;
  const to = converted(type, points[Math.min(points.length - 1, index + 1)] ?? 0);
  const fraction = scaled - index;
  return (1 - fraction) * Number(from) + fraction * Number(to);
}

/** A setting's value for a tensor, or nothing when it is an empty list or no filter of it matches. */
function evaluate(type: ParameterSpec['type'], setting: Setting, asked: Asked): number | boolean | undefined {
  if (!Array.isArray(setting)) {
    return typeof setting === 'object' ? evaluate(type, [setting], asked) : converted(type, setting);
  }
  const points: Scalar[] = [];
  for (const item of setting) {
    if (typeof item !== 'object') points.push(item);
    else if (!item.filter || item.filter === '*' || asked.tensor.includes(item.filter)) {
      return evaluate(type, item.value, asked);
    }
  }
  return points.length > 0 ? alongGradient(type, points, asked.position) : undefined;
}

/** The levels of a recipe at which a parameter may be set, the most specific first. */
export type Levels = readonly (Parameters | null | undefined)[];

/**
 * The value of one parameter for one tensor: the first level that yields one, else the default.
 * @returns undefined when there is none, which is an error for a parameter that is asked for
 */
export function resolveParameter(
  name: string,
  spec: ParameterSpec,
  levels: Levels,
  asked: Asked,
): number | boolean | undefined {
  for (const level of levels) {
    const setting = level && Object.hasOwn(level, name) ? level[name] : undefined;
    if (setting === undefined) continue;
    const value = evaluate(spec.type, setting, asked);
    if (value !== undefined) return value;
  }
  return spec.default;
}

/** One input of a tensor, as far as parameters go. */
export interface ParameterSource {
  readonly isBase: boolean;
  /** The tensor's name in this input. */
  readonly tensor: string;
  readonly parameters: Parameters | null | undefined;
}

/** A required parameter that no level of the recipe sets; `source` is the index of the input that lacks it. */
export class MissingParameter extends Error {
  readonly parameter: string;
  readonly source: number | undefined;

  constructor(parameter: string, source?: number) {
    super(`The parameter ${parameter} is missing`);
    this.parameter = parameter;
    this.source = source;
  }
}

/**
 * All parameters of a method for one output tensor.
 * @param shared the levels above the inputs: slice, module, recipe
 * @throws MissingParameter
 */
export function resolveParameters(
  method: MergeMethod,
  sources: readonly ParameterSource[],
  shared: Levels,
  asked: Asked,
): ParameterValues {
  const values: Record<string, number | boolean | (number | boolean)[]> = {};
  for (const [name, spec] of Object.entries(method.parameters)) {
    if (spec.scope === 'method') {
      const value = resolveParameter(name, spec, shared, asked);
      if (value === undefined) throw new MissingParameter(name);
      values[name] = value;
      continue;
    }
    const list: (number | boolean)[] = [];
    for (const [index, source] of sources.entries()) {
      if (spec.scope === 'others' && source.isBase) continue;
      const levels = [source.parameters, ...shared];
      const value = resolveParameter(name, spec, levels, { ...asked, tensor: source.tensor });
      if (value === undefined) throw new MissingParameter(name, index);
      list.push(value);
    }
    values[name] = list;
  }
  return values;
}
