import { realpath } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { UserError } from '../base/index.ts';
import type { Checkpoint, Dtype, TensorInfo } from '../checkpoint/index.ts';
import type { DecoderConfig } from './config.ts';
import type { OnnxType } from './onnx.ts';

const weightTypes: Readonly<Partial<Record<Dtype, OnnxType>>> = {
  F32: 'float32',
  F16: 'float16',
  BF16: 'bfloat16',
};

/** A tensor of the checkpoint as the graph refers to it. */
export interface Weight {
  readonly name: string;
  readonly type: OnnxType;
  readonly shape: readonly number[];
  /** Relative to {@link Weights.root}, with `/`. */
  readonly location: string;
  readonly offset: number;
  readonly length: number;
}

/** All tensors of a decoder, checked against its configuration. */
export interface Weights {
  /** Real folder above all weight files: the runtime refuses links and paths that leave its folder. */
  readonly root: string;
  readonly byName: ReadonlyMap<string, Weight>;
  readonly parameters: number;
}

/** The tensors that a decoder must have, with their shapes, under the names of transformers. */
export function expectedTensors(config: DecoderConfig): Map<string, readonly number[]> {
  const { hidden, intermediate, heads, kvHeads, headSize, vocabulary } = config;
  const expected = new Map<string, readonly number[]>();
  const linear = (name: string, outputs: number, inputs: number, bias: boolean) => {
    expected.set(`${name}.weight`, [outputs, inputs]);
    if (bias) expected.set(`${name}.bias`, [outputs]);
  };
  expected.set('model.embed_tokens.weight', [vocabulary, hidden]);
  for (let layer = 0; layer < config.layers; layer++) {
    const prefix = `model.layers.${layer}`;
    expected.set(`${prefix}.input_layernorm.weight`, [hidden]);
    linear(`${prefix}.self_attn.q_proj`, heads * headSize, hidden, config.qkvBias);
    linear(`${prefix}.self_attn.k_proj`, kvHeads * headSize, hidden, config.qkvBias);
    linear(`${prefix}.self_attn.v_proj`, kvHeads * headSize, hidden, config.qkvBias);
    linear(`${prefix}.self_attn.o_proj`, hidden, heads * headSize, config.outputBias);
    if (config.headNorm) {
      expected.set(`${prefix}.self_attn.q_norm.weight`, [headSize]);
      expected.set(`${prefix}.self_attn.k_norm.weight`, [headSize]);
    }
    expected.set(`${prefix}.post_attention_layernorm.weight`, [hidden]);
    linear(`${prefix}.mlp.gate_proj`, intermediate, hidden, config.mlpBias);
    linear(`${prefix}.mlp.up_proj`, intermediate, hidden, config.mlpBias);
    linear(`${prefix}.mlp.down_proj`, hidden, intermediate, config.mlpBias);
  }
  expected.set('model.norm.weight', [hidden]);
  if (!config.tied) expected.set('lm_head.weight', [vocabulary, hidden]);
  return expected;
}

/** Tensors that old checkpoints carry and transformers ignores: they follow from the configuration. */
function isDerived(name: string, config: DecoderConfig): boolean {
  return name.endsWith('.rotary_emb.inv_freq') || (config.tied && name === 'lm_head.weight');
}

function checkTensor(name: string, shape: readonly number[], tensor: TensorInfo | undefined, folder: string) {
  if (tensor === undefined) {
    throw new UserError(`The checkpoint lacks the tensor ${name}, which its config.json asks for`, {
      place: { file: folder, field: name },
      remedy: 'Check that config.json and the weights belong together and that all shards are there.',
    });
  }
  const place = { file: tensor.file, field: name };
  if (tensor.shape.join() !== shape.join()) {
    throw new UserError(
      `The tensor ${name} has the shape [${tensor.shape.join(', ')}], config.json asks for [${shape.join(', ')}]`,
      { place, remedy: 'Check that config.json and the weights belong together.' },
    );
  }
  const type = weightTypes[tensor.dtype];
  if (type === undefined) {
    throw new UserError(`The tensor ${name} has the dtype ${tensor.dtype}, which cannot be run`, {
      place,
      remedy: 'Use the checkpoint in bf16, f16 or f32.',
    });
  }
  return { tensor, type };
}

/** The deepest folder that holds all files. */
function commonFolder(files: readonly string[]): string {
  return files.map(dirname).reduce((common, folder) => {
    let root = common;
    while (root !== folder && !folder.startsWith(root.endsWith(sep) ? root : root + sep)) {
      const parent = dirname(root);
      if (parent === root) {
        throw new UserError(`The weights lie on two drives, below ${common} and ${folder}`, {
          place: { file: folder },
          remedy: 'Put all shards on one drive.',
        });
      }
      root = parent;
    }
    return root;
  });
}

/**
 * Finds every tensor of a decoder. Throws a usage error that names the tensor when one is missing, has another shape
 * or a dtype that cannot be computed with, or when the checkpoint holds one that the model would not use: then
 * something about the model is not understood, and its answers would be wrong.
 */
export async function findWeights(checkpoint: Checkpoint, config: DecoderConfig): Promise<Weights> {
  const expected = expectedTensors(config);
  for (const [name, { file }] of checkpoint.tensors) {
    if (expected.has(name) || isDerived(name, config)) continue;
    throw new UserError(
      `The checkpoint has the tensor ${name}, which a ${config.architecture} with this config.json does not have`,
      { place: { file, field: name }, remedy: 'Check that config.json and the weights belong together.' },
    );
  }
  // Links, as in the Hub's cache, are followed here because the runtime refuses them.
  const real = new Map<string, string>();
  for (const file of checkpoint.files) real.set(file, await realpath(file));
  const root = commonFolder([...real.values()]);
  const byName = new Map<string, Weight>();
  let parameters = 0;
  for (const [name, shape] of expected) {
    const { tensor, type } = checkTensor(name, shape, checkpoint.tensors.get(name), checkpoint.folder);
    const file = real.get(tensor.file) ?? join(checkpoint.folder, tensor.file);
    byName.set(name, {
      name,
      type,
      shape,
      location: relative(root, file).split(sep).join('/'),
      offset: tensor.begin,
      length: tensor.end - tensor.begin,
    });
    parameters += shape.reduce((product, size) => product * size, 1);
  }
  return { root, byName, parameters };
}
