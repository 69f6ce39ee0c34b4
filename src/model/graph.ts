import type { DecoderConfig } from './config.ts';
import { GraphBuilder, onnxTypes } from './onnx.ts';
import type { Weights } from './weights.ts';

/** Names of the graph's inputs and outputs; those of a layer end with its number. */
export const graphNames = {
  ids: 'input_ids',
  positions: 'position_ids',
  lastKey: 'seqlens_k',
  totalLength: 'total_sequence_length',
  cos: 'cos',
  sin: 'sin',
  pastKeys: (layer: number) => `past_key.${layer}`,
  pastValues: (layer: number) => `past_value.${layer}`,
  rows: 'rows',
  targets: 'targets',
  candidates: 'candidates',
  newKeys: (layer: number) => `new_key.${layer}`,
  newValues: (layer: number) => `new_value.${layer}`,
  logprobs: 'logprobs',
  topIds: 'top_ids',
  topLogprobs: 'top_logprobs',
  targetLogprobs: 'target_logprobs',
} as const;

const microsoft = { domain: 'com.microsoft' } as const;

/**
 * The ONNX model of a decoder for one sequence at a time, as bytes that refer to the checkpoint's own files. S new
 * tokens, M rows whose next token is asked for, P capacity of the cache, R rows of the cosine and sine tables.
 *
 * in: input_ids, position_ids int64 [1,S]; seqlens_k int32 [1] = tokens so far - 1; total_sequence_length int32 [1];
 * cos, sin f32 [R,D/2]; past_key.l, past_value.l f32 [1,KV,P,D]; rows int64 [M] (which of the S); targets int64
 * [1,M,1]; candidates int64 [1] (how many to report a row).
 * out: new_key.l (rotated), new_value.l f32 [1,S,KV*D]; logprobs f32 [1,M,V]; top_ids int64 and top_logprobs f32
 * [1,M,candidates], best first; target_logprobs f32 [1,M,1].
 *
 * Only the new tokens' keys and values come out: the runtime copies outputs, and copying whole caches would cost
 * more than computing.
 */
export function buildDecoderGraph(config: DecoderConfig, weights: Weights): Uint8Array {
  return new DecoderGraph(config, weights).build();
}

class DecoderGraph {
  private readonly graph = new GraphBuilder();
  private readonly config: DecoderConfig;
  private readonly weights: Weights;

  constructor(config: DecoderConfig, weights: Weights) {
    this.config = config;
    this.weights = weights;
  }

  build(): Uint8Array {
    const { graph, config } = this;
    this.declareInputs();
    // Gathered in the stored type, so that a bf16 embedding can stay in the mapped file.
    const rows = graph.node('Gather', [this.raw('model.embed_tokens.weight'), graphNames.ids]);
    let residual = graph.node('Cast', [rows], { attributes: { to: { int: onnxTypes.float32 } } });
    let normed = this.norm(residual, 'model.layers.0.input_layernorm.weight');
    for (let layer = 0; layer < config.layers; layer++) {
      const prefix = `model.layers.${layer}`;
      const attended = this.attention(layer, normed);
      const afterAttention = this.addAndNorm(
        attended,
        residual,
        `${prefix}.post_attention_layernorm.weight`,
        `${prefix}.attention`,
      );
      let update = this.mlp(`${prefix}.mlp`, afterAttention.normed);
      residual = afterAttention.sum;
      const last = layer === config.layers - 1;
      if (last) {
        // Only the rows that are asked for go through the largest matrix.
        const pick = (value: string) =>
          graph.node('Gather', [value, graphNames.rows], { attributes: { axis: { int: 1 } } });
        update = pick(update);
        residual = pick(residual);
      }
      const next = last ? 'model.norm.weight' : `model.layers.${layer + 1}.input_layernorm.weight`;
      ({ sum: residual, normed } = this.addAndNorm(update, residual, next, `${prefix}.mlp`));
    }
    this.head(normed);
    return graph.finish();
  }

  private declareInputs(): void {
    const { graph, config } = this;
    graph.input(graphNames.ids, 'int64', [1, 'S']);
    graph.input(graphNames.positions, 'int64', [1, 'S']);
    graph.input(graphNames.lastKey, 'int32', [1]);
    graph.input(graphNames.totalLength, 'int32', [1]);
    graph.input(graphNames.cos, 'float32', ['R', config.headSize / 2]);
    graph.input(graphNames.sin, 'float32', ['R', config.headSize / 2]);
    const cache = [1, config.kvHeads, 'P', config.headSize] as const;
    for (let layer = 0; layer < config.layers; layer++) {
      graph.input(graphNames.pastKeys(layer), 'float32', cache);
      graph.input(graphNames.pastValues(layer), 'float32', cache);
    }
    graph.input(graphNames.rows, 'int64', ['M']);
    graph.input(graphNames.targets, 'int64', [1, 'M', 1]);
    graph.input(graphNames.candidates, 'int64', [1]);
  }

  /** A tensor of the checkpoint in its stored type. */
  private raw(name: string): string {
    const weight = this.weights.byName.get(name);
    if (weight === undefined) throw new Error(`the graph needs ${name}, which is not among the weights`);
    const { type, shape, location, offset, length } = weight;
    return this.graph.external(name, type, shape, { location, offset, length });
  }

  /** A tensor of the checkpoint as f32; the runtime folds the cast when it opens the model. */
  private weight(name: string, stored = this.raw(name)): string {
    if (this.weights.byName.get(name)?.type === 'float32') return stored;
    return this.graph.node('Cast', [stored], { attributes: { to: { int: onnxTypes.float32 } } });
  }

  private norm(value: string, weight: string): string {
    return this.graph.node('SimplifiedLayerNormalization', [value, this.weight(weight)], {
      attributes: { axis: { int: -1 }, epsilon: { float: this.config.epsilon }, stash_type: { int: 1 } },
    });
  }

  private addAndNorm(update: string, residual: string, weight: string, name: string) {
    const normed = `${name}.normed`;
    const sum = `${name}.sum`;
    this.graph.node('SkipSimplifiedLayerNormalization', [update, residual, this.weight(weight)], {
      ...microsoft,
      attributes: { epsilon: { float: this.config.epsilon } },
      outputs: [normed, '', '', sum],
    });
    return { normed, sum };
  }

  private linear(value: string, name: string, output?: string): string {
    const { graph } = this;
    const bias = this.weights.byName.has(`${name}.bias`);
    const named = output === undefined ? {} : { outputs: [output] };
    const product = graph.node('FusedMatMul', [value, this.weight(`${name}.weight`)], {
      ...microsoft,
      attributes: { transB: { int: 1 } },
      ...(bias ? {} : named),
    });
    return bias ? graph.node('Add', [product, this.weight(`${name}.bias`)], named) : product;
  }

  /** Normalises and rotates queries or keys, head by head. */
  private rotate(value: string, heads: number, norm: string, output?: string): string {
    const { graph, config } = this;
    let rotated = value;
    if (config.headNorm) {
      const split = graph.integers(`${norm}.split`, [1, -1, heads, config.headSize]);
      const joined = graph.integers(`${norm}.joined`, [1, -1, heads * config.headSize]);
      rotated = this.norm(graph.node('Reshape', [value, split]), norm);
      rotated = graph.node('Reshape', [rotated, joined]);
    }
    return graph.node('RotaryEmbedding', [rotated, graphNames.positions, graphNames.cos, graphNames.sin], {
      ...microsoft,
      attributes: { num_heads: { int: heads }, interleaved: { int: 0 } },
      ...(output === undefined ? {} : { outputs: [output] }),
    });
  }

  private attention(layer: number, normed: string): string {
    const { graph, config } = this;
    const { heads, kvHeads, headSize } = config;
    const prefix = `model.layers.${layer}.self_attn`;
    const newKeys = graphNames.newKeys(layer);
    const newValues = graphNames.newValues(layer);
    const queries = this.rotate(this.linear(normed, `${prefix}.q_proj`), heads, `${prefix}.q_norm.weight`);
    const keys = this.linear(normed, `${prefix}.k_proj`);
    this.rotate(keys, kvHeads, `${prefix}.k_norm.weight`, newKeys);
    this.linear(normed, `${prefix}.v_proj`, newValues);
    graph.output(newKeys, 'float32', [1, 'S', kvHeads * headSize]);
    graph.output(newValues, 'float32', [1, 'S', kvHeads * headSize]);
    const attended = graph.node(
      'GroupQueryAttention',
      [
        ...[queries, newKeys, newValues, graphNames.pastKeys(layer), graphNames.pastValues(layer)],
        ...[graphNames.lastKey, graphNames.totalLength],
      ],
      {
        ...microsoft,
        attributes: {
          num_heads: { int: heads },
          kv_num_heads: { int: kvHeads },
          scale: { float: 1 / Math.sqrt(headSize) },
          do_rotary: { int: 0 },
          local_window_size: { int: config.windows[layer] ?? -1 },
        },
        outputs: [`${prefix}.attended`, `${prefix}.present_key`, `${prefix}.present_value`],
      },
    );
    return this.linear(attended, `${prefix}.o_proj`);
  }

  private mlp(prefix: string, normed: string): string {
    const { graph } = this;
    const gate = this.linear(normed, `${prefix}.gate_proj`);
    const up = this.linear(normed, `${prefix}.up_proj`);
    const activated = graph.node('Mul', [gate, graph.node('Sigmoid', [gate])]);
    return this.linear(graph.node('Mul', [activated, up]), `${prefix}.down_proj`);
  }

  private head(normed: string): void {
    const { graph, config } = this;
    const embedding = 'model.embed_tokens.weight';
    const projection = config.tied ? this.weight(embedding, embedding) : this.weight('lm_head.weight');
    const logits = graph.node('FusedMatMul', [normed, projection], {
      ...microsoft,
      attributes: { transB: { int: 1 } },
    });
    const last = { axis: { int: -1 } };
    const { logprobs, topIds, topLogprobs, targetLogprobs } = graphNames;
    graph.node('LogSoftmax', [logits], { attributes: last, outputs: [logprobs] });
    graph.node('TopK', [logits, graphNames.candidates], {
      attributes: last,
      outputs: ['top_logits', topIds],
    });
    graph.node('GatherElements', [logprobs, topIds], { attributes: last, outputs: [topLogprobs] });
    const targets = [logprobs, graphNames.targets];
    graph.node('GatherElements', targets, { attributes: last, outputs: [targetLogprobs] });
    graph.output(logprobs, 'float32', [1, 'M', config.vocabulary]);
    graph.output(topIds, 'int64', [1, 'M', 'candidates']);
    graph.output(topLogprobs, 'float32', [1, 'M', 'candidates']);
    graph.output(targetLogprobs, 'float32', [1, 'M', 1]);
  }
}
