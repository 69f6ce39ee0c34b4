import { UserError } from '../base/index.ts';
import { type Checkpoint, dtypes, type TensorInfo } from '../checkpoint/index.ts';

/** A model that takes part in a merge, opened. */
export interface MergeInput {
  /** As the recipe names it. */
  readonly name: string;
  readonly checkpoint: Checkpoint;
  readonly isBase: boolean;
}

/** One tensor of the result and where each input holds its own version of it, in the order of the inputs. */
export interface TensorGroup {
  readonly name: string;
  readonly shape: readonly number[];
  readonly sources: readonly TensorInfo[];
  /** 0 at the first layer and for tensors outside the layers, 1 at the last one. */
  readonly position: number;
}

/** The output projection, which models with tied embeddings do not store. */
const headName = 'lm_head.weight';

/** Names under which architectures keep the input embedding. */
const embeddingNames = [
  'model.embed_tokens.weight',
  'model.language_model.embed_tokens.weight',
  'transformer.wte.weight',
  'wte.weight',
  'model.decoder.embed_tokens.weight',
  'shared.weight',
];

/** Buffers of old checkpoints that every loader computes itself. */
function isDerived(name: string): boolean {
  return name.endsWith('.rotary_emb.inv_freq');
}

function tied(checkpoint: Checkpoint): TensorInfo | undefined {
  if (checkpoint.config.tie_word_embeddings === false) return undefined;
  for (const name of embeddingNames) {
    const tensor = checkpoint.tensors.get(name);
    if (tensor !== undefined) return tensor;
  }
  return undefined;
}

/** The stack of layers that a tensor belongs to and its place in it, or nothing for tensors outside the layers. */
export function layerOf(name: string): { readonly stack: string; readonly index: number } | undefined {
  const match = /^(|.*?\.)(\d+)\./.exec(name);
  return match ? { stack: match[1] ?? '', index: Number(match[2]) } : undefined;
}

function stackLengths(names: readonly string[]): Map<string, number> {
  const lengths = new Map<string, number>();
  for (const name of names) {
    const layer = layerOf(name);
    if (layer) lengths.set(layer.stack, Math.max(lengths.get(layer.stack) ?? 0, layer.index + 1));
  }
  return lengths;
}

function missing(name: string, input: MergeInput, reference: MergeInput): UserError {
  const layers = (of: MergeInput) => of.checkpoint.config.num_hidden_layers;
  const depth =
    typeof layers(input) === 'number' && layers(input) !== layers(reference)
      ? ` (${input.name} has ${layers(input)} layers, ${reference.name} ${layers(reference)})`
      : '';
  return new UserError(`The tensor ${name} of ${reference.name} is missing in ${input.name}${depth}`, {
    place: { file: input.checkpoint.folder, field: name },
    remedy: 'Merge models that were made from the same base.',
  });
}

function checkSame(group: TensorGroup, inputs: readonly MergeInput[]): void {
  const shape = (tensor: TensorInfo) => `[${tensor.shape.join(', ')}]`;
  const [first, ...others] = group.sources;
  if (first === undefined) return;
  for (const [index, other] of others.entries()) {
    const names = `${inputs[0]?.name}: ${first.dtype} ${shape(first)}, ${inputs[index + 1]?.name}: ${other.dtype} ${shape(other)}`;
    const place = { file: other.file, field: group.name };
    if (shape(first) !== shape(other)) {
      const vocabulary = group.name === headName || embeddingNames.includes(group.name);
      throw new UserError(`The tensor ${group.name} has different sizes (${names})`, {
        place,
        remedy: vocabulary
          ? 'The vocabularies differ; resize the embeddings of the models to one vocabulary first.'
          : 'Merge models that were made from the same base.',
      });
    }
    if (dtypes[first.dtype].float !== dtypes[other.dtype].float) {
      throw new UserError(
        `The tensor ${group.name} is an integer in one model and not in another (${names})`,
        {
          place,
        },
      );
    }
  }
}

/**
 * Finds every tensor of the result in every input. The reference (the base, else the first model) says which
 * tensors there are; a model that ties its output projection to its embedding lends the embedding for it.
 * Throws a usage error when a model lacks a tensor or has it in another shape.
 */
export function groupTensors(inputs: readonly MergeInput[]): { groups: TensorGroup[]; warnings: string[] } {
  const reference = inputs.find((input) => input.isBase) ?? inputs[0];
  if (reference === undefined) return { groups: [], warnings: [] };
  const names = [...reference.checkpoint.tensors.keys()].filter((name) => !isDerived(name));
  const someHead = inputs.some((input) => input.checkpoint.tensors.has(headName));
  if (someHead && !names.includes(headName) && tied(reference.checkpoint)) names.push(headName);
  // The order in which mergekit distributes tensors over shards.
  names.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));

  const lengths = stackLengths(names);
  const groups = names.map((name): TensorGroup => {
    const sources = inputs.map((input) => {
      const { checkpoint } = input;
      const found = checkpoint.tensors.get(name) ?? (name === headName ? tied(checkpoint) : undefined);
      if (found === undefined) throw missing(name, input, reference);
      return found;
    });
    const layer = layerOf(name);
    const last = (lengths.get(layer?.stack ?? '') ?? 1) - 1;
    const position = layer === undefined ? 0 : last === 0 ? 1 : layer.index / last;
    const group = { name, shape: sources[0]?.shape ?? [], sources, position };
    checkSame(group, inputs);
    return group;
  });

  const written = new Set(names);
  const warnings = inputs.flatMap((input) => {
    const extra = [...input.checkpoint.tensors.keys()].filter(
      (name) => !written.has(name) && !isDerived(name),
    );
    const [first] = extra;
    if (first === undefined) return [];
    const many = extra.length === 1 ? `the tensor ${first}` : `${extra.length} tensors (${first}, …)`;
    return [`${input.name} has ${many} that ${reference.name} lacks; left out`];
  });
  return { groups, warnings };
}

/**
 * Whether the result's config must say that the output projection is no longer tied: some model brought one of
 * its own where the donor of the config has none.
 */
export function untiesHead(
  groups: readonly TensorGroup[],
  inputs: readonly MergeInput[],
  donor: Checkpoint,
): boolean {
  if (donor.config.tie_word_embeddings === false) return false;
  if (!groups.some((group) => group.name === headName)) return false;
  return inputs.some(({ checkpoint }) => !checkpoint.tensors.has(headName)) || !donor.tensors.has(headName);
}
