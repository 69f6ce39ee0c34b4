import { UserError } from '../base/index.ts';
import {
  type Checkpoint,
  type Dtype,
  dtypes,
  elementCount,
  openCheckpoint,
  planShards,
  type ShardPlan,
  tensorBytes,
} from '../checkpoint/index.ts';
import type { Format, Rounding } from './kernels/index.ts';
import type { MergeMethod, ParameterValues, Profile } from './methods/index.ts';
import { MissingParameter, resolveParameters } from './recipe/parameters.ts';
import { formatProblem, type Recipe, recipeError } from './recipe/parse.ts';
import { findModel } from './recipe/references.ts';
import { type FieldPath, type ModelReference, methodOf, type Parameters } from './recipe/schema.ts';
import { groupTensors, type MergeInput, type TensorGroup, untiesHead } from './tensors.ts';

/** Where one input of a tensor lies: a position in a file of {@link MergePlan.files}. */
export interface PlannedSource {
  readonly file: number;
  readonly begin: number;
  readonly dtype: Dtype;
}

/** One tensor of the result: what is read, what is done with it, and where it is written. */
export interface TensorTask {
  readonly name: string;
  readonly elements: number;
  /** Tensors that hold no floating-point numbers are copied; they must be the same in all inputs. */
  readonly kind: 'merge' | 'copy';
  readonly sources: readonly PlannedSource[];
  /** Index of the base among the sources, -1 without one. */
  readonly base: number;
  readonly values: ParameterValues;
  /** What intermediate results are rounded to; `F32` is no rounding. */
  readonly rounding: Rounding;
  readonly output: { readonly shard: number; readonly begin: number; readonly dtype: Dtype };
}

/** Everything about a merge that is known before weights are read. */
export interface MergePlan {
  readonly recipe: Recipe;
  readonly method: MergeMethod;
  readonly profile: Profile;
  readonly inputs: readonly MergeInput[];
  /** Where config, tokenizer and the other files come from. */
  readonly donor: Checkpoint;
  /** Keys of config.json that the result has otherwise than the donor. */
  readonly configChanges: Readonly<Record<string, unknown>>;
  readonly files: readonly string[];
  readonly tensors: readonly TensorTask[];
  readonly shards: ShardPlan;
  readonly parameters: number;
  readonly bytesRead: number;
  readonly warnings: readonly string[];
}

export interface PlanOptions {
  readonly maxShardSize?: number;
  readonly profile?: Profile;
}

const configDtypes: Readonly<Record<Rounding, string>> = { BF16: 'bfloat16', F16: 'float16', F32: 'float32' };

/** Fields of recipes that are checked but cannot be run yet. */
const unsupported = ['slices', 'modules', 'tokenizer', 'tokenizer_source', 'chat_template'] as const;

interface RecipeInput extends MergeInput {
  readonly field: FieldPath;
  readonly parameters: Parameters | null | undefined;
}

/** Opens the models in the recipe's order; a base that is not among them comes last, without parameters. */
async function openInputs(recipe: Recipe): Promise<RecipeInput[]> {
  const { models, base_model: base } = recipe.document;
  const entries: {
    field: FieldPath;
    reference: ModelReference;
    parameters?: Parameters | null | undefined;
  }[] = (models ?? []).map(({ model, parameters }, index) => ({
    field: ['models', index],
    reference: model,
    parameters,
  }));
  const folders = new Map<string, FieldPath>();
  const found: { name: string; folder: string; field: FieldPath; parameters: RecipeInput['parameters'] }[] =
    [];
  for (const { field, reference, parameters } of entries) {
    const model = await findModel(recipe, reference, [...field, 'model']);
    const earlier = folders.get(model.folder);
    if (earlier !== undefined) {
      const { line } = recipe.rangeOf(earlier);
      throw recipeError(recipe, field, `the model ${model.name} is listed twice, first in line ${line}`);
    }
    folders.set(model.folder, field);
    found.push({ ...model, field, parameters });
  }
  const baseModel = base ? await findModel(recipe, base, ['base_model']) : undefined;
  if (baseModel !== undefined && !folders.has(baseModel.folder)) {
    found.push({ ...baseModel, field: ['base_model'], parameters: undefined });
  }
  const inputs: RecipeInput[] = [];
  for (const { name, folder, field, parameters } of found) {
    const checkpoint = await openCheckpoint(folder);
    inputs.push({ name, checkpoint, isBase: folder === baseModel?.folder, field, parameters });
  }
  return inputs;
}

function checkInputs(recipe: Recipe, method: MergeMethod, inputs: readonly RecipeInput[]): void {
  const { base, least } = method.inputs;
  if (base === 'required' && !inputs.some((input) => input.isBase)) {
    throw recipeError(recipe, ['merge_method'], `${method.name} requires a base_model`);
  }
  if (inputs.length < least) {
    throw recipeError(
      recipe,
      ['models'],
      `${method.name} requires at least ${least} models, not ${inputs.length}`,
    );
  }
  const architecture = (input: RecipeInput) => {
    const { architectures } = input.checkpoint.config;
    return Array.isArray(architectures) && architectures.length > 0 ? String(architectures[0]) : undefined;
  };
  const known = inputs.filter((input) => architecture(input) !== undefined);
  for (const input of known.slice(1)) {
    const [first] = known;
    if (first === undefined || architecture(input) === architecture(first)) continue;
    throw recipeError(
      recipe,
      input.field,
      `${input.name} is a ${architecture(input)}, but ${first.name} a ${architecture(first)}`,
      'Merge models of one architecture.',
    );
  }
}

/** The format that holds all values of the given ones. */
function commonFormat(formats: readonly Format[]): Format {
  const [first, ...others] = new Set(formats);
  if (first === undefined || others.length === 0) return first ?? 'F32';
  return formats.includes('F64') ? 'F64' : 'F32';
}

function formatOf(source: { dtype: Dtype; file: string }, name: string): Format {
  const { dtype } = source;
  if (dtype === 'BF16' || dtype === 'F16' || dtype === 'F32' || dtype === 'F64') return dtype;
  throw new UserError(`The tensor ${name} is stored as ${dtype}, which cannot be merged`, {
    place: { file: source.file, field: name },
    remedy: 'Use a checkpoint in bfloat16, float16 or float32.',
  });
}

/** The working format of a tensor: what the recipe says, else what holds all inputs. */
function workingFormat(recipe: Recipe, group: TensorGroup): Rounding {
  const formats = group.sources.map((source) => formatOf(source, group.name));
  const format = recipe.document.dtype ?? commonFormat(formats);
  if (format !== 'F64') return format;
  throw recipeError(
    recipe,
    ['merge_method'],
    `the tensor ${group.name} is float64, which is not written`,
    'Add `dtype: float32` to the recipe.',
  );
}

function valuesFor(recipe: Recipe, method: MergeMethod, inputs: readonly RecipeInput[], group: TensorGroup) {
  const sources = inputs.map(({ isBase, parameters }, index) => ({
    isBase,
    parameters,
    tensor: group.sources[index]?.name ?? group.name,
  }));
  let values: ParameterValues;
  try {
    const asked = { tensor: group.name, position: group.position };
    values = resolveParameters(method, sources, [recipe.document.parameters], asked);
  } catch (error) {
    if (!(error instanceof MissingParameter)) throw error;
    const input = error.source === undefined ? undefined : inputs[error.source];
    const whose = input === undefined ? '' : ` of ${input.name}`;
    throw recipeError(
      recipe,
      input?.field ?? ['merge_method'],
      `${method.name} requires the parameter ${error.parameter}, which ${group.name}${whose} has none of`,
      `Add ${error.parameter} to the parameters of the model or of the whole recipe.`,
    );
  }
  const problem = method.check?.(values);
  if (problem !== undefined) throw recipeError(recipe, ['models'], `${problem} (${group.name})`);
  return values;
}

function configChangesFor(recipe: Recipe, donor: Checkpoint, untied: boolean): Record<string, unknown> {
  const dtype = recipe.document.out_dtype ?? recipe.document.dtype;
  // Older transformers write torch_dtype, newer ones dtype.
  const present = ['torch_dtype', 'dtype'].filter((key) => key in donor.config);
  const keys = present.length > 0 ? present : ['torch_dtype'];
  return {
    ...(dtype ? Object.fromEntries(keys.map((key) => [key, configDtypes[dtype]])) : {}),
    ...(untied ? { tie_word_embeddings: false } : {}),
  };
}

/**
 * Works out a merge completely: finds and checks the models, resolves every parameter for every tensor, and lays
 * out the result. Reads headers and JSON files only. Every mistake in a recipe or model is found here, as a usage
 * error that names the field or file.
 */
export async function planMerge(recipe: Recipe, options: PlanOptions = {}): Promise<MergePlan> {
  const profile = options.profile ?? 'f32';
  for (const field of unsupported) {
    if (recipe.document[field]) throw recipeError(recipe, [field], `${field} cannot be merged yet`);
  }
  const method = methodOf(recipe.document);
  const inputs = await openInputs(recipe);
  checkInputs(recipe, method, inputs);
  const { groups, warnings } = groupTensors(inputs);
  if (groups.length === 0) throw recipeError(recipe, ['models'], 'the models hold no tensors');

  const files: string[] = [];
  const fileIndex = new Map<string, number>();
  const indexOf = (file: string) => {
    const index = fileIndex.get(file) ?? files.push(file) - 1;
    fileIndex.set(file, index);
    return index;
  };
  const base = method.inputs.base === 'ignored' ? -1 : inputs.findIndex((input) => input.isBase);
  const drafts = groups.map((group) => {
    const [first] = group.sources;
    const float = first !== undefined && dtypes[first.dtype].float;
    const working = float ? workingFormat(recipe, group) : 'F32';
    return {
      name: group.name,
      shape: group.shape,
      elements: elementCount(group.shape),
      kind: float ? ('merge' as const) : ('copy' as const),
      sources: group.sources.map(({ file, begin, dtype }) => ({ file: indexOf(file), begin, dtype })),
      base,
      values: valuesFor(recipe, method, inputs, group),
      rounding: profile === 'f32' ? ('F32' as const) : working,
      dtype: float ? (recipe.document.out_dtype ?? working) : (first?.dtype ?? 'F32'),
    };
  });

  const shards = planShards(drafts, options.maxShardSize ?? 5e9);
  const places = new Map(
    shards.shards.flatMap(({ tensors }, shard) =>
      tensors.map(({ name, begin }) => [name, { shard, begin }] as const),
    ),
  );
  const tensors = drafts.map(({ shape: _, dtype, ...draft }): TensorTask => {
    const place = places.get(draft.name);
    if (place === undefined) throw new Error(`The plan has no place for ${draft.name}`);
    return { ...draft, output: { ...place, dtype } };
  });
  const donorInput = inputs.find((input) => input.isBase) ?? inputs[0];
  if (donorInput === undefined) throw recipeError(recipe, ['models'], 'there is no model');
  const donor = donorInput.checkpoint;
  return {
    recipe,
    method,
    profile,
    inputs,
    donor,
    configChanges: configChangesFor(recipe, donor, untiesHead(groups, inputs, donor)),
    files,
    tensors,
    shards,
    parameters: tensors.reduce((sum, tensor) => sum + tensor.elements, 0),
    bytesRead: groups.reduce(
      (sum, group) => sum + group.sources.reduce((bytes, source) => bytes + tensorBytes(source), 0),
      0,
    ),
    warnings: [...recipe.warnings.map((problem) => formatProblem(recipe.file, problem)), ...warnings],
  };
}
