import { join } from 'node:path';
import { z } from 'zod';
import { parseWith, UserError } from '../base/index.ts';

/** How positions turn the attention heads. All frequencies are fixed, so every scaling is one of the table's rows. */
export type Rope =
  | { readonly type: 'default'; readonly theta: number }
  | { readonly type: 'linear'; readonly theta: number; readonly factor: number }
  | {
      readonly type: 'llama3';
      readonly theta: number;
      readonly factor: number;
      readonly lowFrequencyFactor: number;
      readonly highFrequencyFactor: number;
      readonly originalContext: number;
    };

/** A decoder of the Llama family: what config.json says, defaults filled in as transformers does. */
export interface DecoderConfig {
  readonly architecture: string;
  readonly hidden: number;
  readonly intermediate: number;
  readonly layers: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headSize: number;
  readonly vocabulary: number;
  readonly contextTokens: number;
  readonly epsilon: number;
  readonly rope: Rope;
  /** Tokens that each layer sees, the current one included; undefined for all. */
  readonly windows: readonly (number | undefined)[];
  /** The embedding is also the output projection. */
  readonly tied: boolean;
  readonly qkvBias: boolean;
  readonly outputBias: boolean;
  readonly mlpBias: boolean;
  /** Queries and keys are normalised head by head (Qwen3). */
  readonly headNorm: boolean;
}

/** What differs between the families; defaults are those of their configuration classes in transformers. */
interface Family {
  readonly architecture: string;
  readonly kvHeads?: number;
  readonly headSize?: number;
  readonly contextTokens: number;
  readonly headNorm?: true;
}

const families = {
  llama: { architecture: 'LlamaForCausalLM', contextTokens: 2048 },
  mistral: { architecture: 'MistralForCausalLM', kvHeads: 8, contextTokens: 131072 },
  qwen2: { architecture: 'Qwen2ForCausalLM', kvHeads: 32, contextTokens: 32768 },
  qwen3: {
    architecture: 'Qwen3ForCausalLM',
    kvHeads: 32,
    headSize: 128,
    contextTokens: 32768,
    headNorm: true,
  },
} as const satisfies Record<string, Family>;

type ModelType = keyof typeof families;

const count = z.number().int().positive();

const ropeSchema = z.looseObject({
  rope_type: z.string().optional(),
  type: z.string().optional(),
  rope_theta: z.number().positive().optional(),
  factor: z.number().positive().optional(),
  low_freq_factor: z.number().positive().optional(),
  high_freq_factor: z.number().positive().optional(),
  original_max_position_embeddings: count.optional(),
  partial_rotary_factor: z.number().nullish(),
});

const configSchema = z.object({
  hidden_size: count,
  intermediate_size: count,
  num_hidden_layers: count,
  num_attention_heads: count,
  num_key_value_heads: count.nullish(),
  head_dim: count.nullish(),
  vocab_size: count,
  max_position_embeddings: count.optional(),
  rms_norm_eps: z.number().positive().default(1e-6),
  hidden_act: z.string().default('silu'),
  tie_word_embeddings: z.boolean().default(false),
  attention_bias: z.boolean().default(false),
  mlp_bias: z.boolean().default(false),
  rope_theta: z.number().positive().optional(),
  rope_scaling: ropeSchema.nullish(),
  rope_parameters: ropeSchema.nullish(),
  partial_rotary_factor: z.number().nullish(),
  sliding_window: count.nullable().default(4096),
  use_sliding_window: z.boolean().default(false),
  max_window_layers: z.number().int().min(0).default(28),
  layer_types: z.array(z.enum(['full_attention', 'sliding_attention'])).nullish(),
});

type Config = z.infer<typeof configSchema>;

/** Builds the refusals of one config.json: each names the field. */
function refusals(file: string) {
  return (field: string, message: string, remedy?: string) =>
    new UserError(message, { place: { file, field }, ...(remedy === undefined ? {} : { remedy }) });
}

type Refuse = ReturnType<typeof refusals>;

function familyOf(config: Readonly<Record<string, unknown>>, refuse: Refuse): ModelType {
  const type = config.model_type;
  if (typeof type !== 'string' || !Object.hasOwn(families, type)) {
    throw refuse(
      'model_type',
      `Models of the type ${JSON.stringify(type) ?? 'none'} cannot be run`,
      `These can: ${Object.keys(families).join(', ')}. Others need a Python or Docker server.`,
    );
  }
  const modelType = type as ModelType;
  const { architecture } = families[modelType];
  const { architectures } = config;
  if (Array.isArray(architectures) && architectures.length > 0 && !architectures.includes(architecture)) {
    throw refuse(
      'architectures',
      `The architecture ${String(architectures[0])} cannot be run`,
      `Of ${modelType}, the text generator ${architecture} can.`,
    );
  }
  if (config.quantization_config !== undefined && config.quantization_config !== null) {
    throw refuse(
      'quantization_config',
      'Quantised weights cannot be run',
      'Use the checkpoint in bf16, f16 or f32.',
    );
  }
  return modelType;
}

function readRope(config: Config, contextTokens: number, refuse: Refuse): Rope {
  // Before transformers 5 there was rope_scaling beside rope_theta, since then there is rope_parameters.
  const field = config.rope_scaling ? 'rope_scaling' : 'rope_parameters';
  const scaling = config.rope_scaling ?? config.rope_parameters ?? {};
  const theta = scaling.rope_theta ?? config.rope_theta ?? 10000;
  if ((scaling.partial_rotary_factor ?? config.partial_rotary_factor ?? 1) !== 1) {
    throw refuse('partial_rotary_factor', 'A partial rotary embedding cannot be run');
  }
  const type = scaling.rope_type ?? scaling.type ?? 'default';
  const required = (key: 'factor' | 'low_freq_factor' | 'high_freq_factor'): number => {
    const value = scaling[key];
    if (value === undefined) throw refuse(`${field}.${key}`, `The rope scaling ${type} needs ${key}`);
    return value;
  };
  if (type === 'default') return { type, theta };
  if (type === 'linear') return { type, theta, factor: required('factor') };
  if (type === 'llama3') {
    return {
      type,
      theta,
      factor: required('factor'),
      lowFrequencyFactor: required('low_freq_factor'),
      highFrequencyFactor: required('high_freq_factor'),
      originalContext: scaling.original_max_position_embeddings ?? contextTokens,
    };
  }
  throw refuse(
    field,
    `The rope scaling ${JSON.stringify(type)} cannot be run`,
    'These can: default, linear, llama3.',
  );
}

/** The window of each layer. Llama has none; Qwen's is off unless asked for, and begins at a layer. */
function readWindows(type: ModelType, config: Config, refuse: Refuse): (number | undefined)[] {
  const window =
    type === 'llama' || (type !== 'mistral' && !config.use_sliding_window)
      ? undefined
      : (config.sliding_window ?? undefined);
  if (config.layer_types && config.layer_types.length !== config.num_hidden_layers) {
    throw refuse(
      'layer_types',
      `layer_types lists ${config.layer_types.length} layers, num_hidden_layers says ${config.num_hidden_layers}`,
    );
  }
  return Array.from({ length: config.num_hidden_layers }, (_, layer) => {
    if (window === undefined || type === 'mistral') return window;
    const sliding = config.layer_types
      ? config.layer_types[layer] === 'sliding_attention'
      : layer >= config.max_window_layers;
    return sliding ? window : undefined;
  });
}

/**
 * Reads the config.json of a checkpoint as a decoder that {@link buildDecoderGraph} can build. Throws a usage error
 * that names the field for everything that would be computed wrongly or not at all.
 */
export function readDecoderConfig(folder: string, raw: Readonly<Record<string, unknown>>): DecoderConfig {
  const file = join(folder, 'config.json');
  const refuse = refusals(file);
  const type = familyOf(raw, refuse);
  const family: Family = families[type];
  const config = parseWith(configSchema, raw, "The checkpoint's config.json", { file });
  if (config.hidden_act !== 'silu') {
    throw refuse('hidden_act', `The activation ${config.hidden_act} cannot be run`, 'Only silu can.');
  }
  const heads = config.num_attention_heads;
  const kvHeads = config.num_key_value_heads ?? family.kvHeads ?? heads;
  if (heads % kvHeads !== 0) {
    throw refuse(
      'num_key_value_heads',
      `${heads} attention heads cannot share ${kvHeads} key and value heads`,
    );
  }
  const headSize = config.head_dim ?? family.headSize ?? config.hidden_size / heads;
  if (!Number.isInteger(headSize) || headSize % 2 !== 0) {
    throw refuse('head_dim', `Attention heads of the size ${headSize} cannot be run`);
  }
  const contextTokens = config.max_position_embeddings ?? family.contextTokens;
  const attentionBias = type !== 'mistral' && config.attention_bias;
  return {
    architecture: family.architecture,
    hidden: config.hidden_size,
    intermediate: config.intermediate_size,
    layers: config.num_hidden_layers,
    heads,
    kvHeads,
    headSize,
    vocabulary: config.vocab_size,
    contextTokens,
    epsilon: config.rms_norm_eps,
    rope: readRope(config, contextTokens, refuse),
    windows: readWindows(type, config, refuse),
    tied: config.tie_word_embeddings,
    qkvBias: type === 'qwen2' || attentionBias,
    outputBias: type !== 'qwen2' && attentionBias,
    mlpBias: type === 'llama' && config.mlp_bias,
    headNorm: family.headNorm ?? false,
  };
}
