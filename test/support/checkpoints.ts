// Writes small checkpoints in Hugging Face layout for tests. It knows the formats on its own, so that a mistake in
// the code under test cannot hide in its own input.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export type TestDtype = 'BF16' | 'F16' | 'F32' | 'I64';

export interface TestTensor {
  readonly dtype: TestDtype;
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

export type TestTensors = Readonly<Record<string, TestTensor>>;

/** Random numbers of a seed (mulberry32), the same on every machine. */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** f32 to the 16 bits of bf16, to nearest, ties to even. */
export function toBf16(value: number): number {
  const view = new DataView(new ArrayBuffer(4));
  view.setFloat32(0, value);
  const bits = view.getUint32(0);
  if (Number.isNaN(value)) return 0x7fc0;
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff;
}

export function fromBf16(bits: number): number {
  const view = new DataView(new ArrayBuffer(4));
  view.setUint32(0, bits << 16);
  return view.getFloat32(0);
}

/** The value of f16 bits, from the definition of the format. */
export function fromF16(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >>> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}

/** All finite f16 values in ascending order of their positive bits, for rounding by search. */
const f16Values = Array.from({ length: 0x7c00 }, (_, bits) => fromF16(bits));

/** A number to the 16 bits of f16 by searching the two neighbours, ties to even. */
export function toF16(value: number): number {
  if (Number.isNaN(value)) return 0x7e00;
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const abs = Math.abs(Math.fround(value));
  if (abs >= 65520) return sign | 0x7c00;
  let low = 0;
  let high = f16Values.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if ((f16Values[middle] ?? 0) <= abs) low = middle;
    else high = middle - 1;
  }
  const below = f16Values[low] ?? 0;
  const above = f16Values[low + 1] ?? 65536;
  const up = abs - below > above - abs || (abs - below === above - abs && low % 2 === 1);
  return sign | (up ? low + 1 : low);
}

export function encode(dtype: TestDtype, values: readonly number[]): Uint8Array {
  if (dtype === 'F32') return new Uint8Array(Float32Array.from(values).buffer);
  if (dtype === 'I64') return new Uint8Array(BigInt64Array.from(values.map(BigInt)).buffer);
  return new Uint8Array(Uint16Array.from(values, dtype === 'BF16' ? toBf16 : toF16).buffer);
}

export function decode(dtype: string, bytes: Uint8Array): number[] {
  const { buffer } = Uint8Array.from(bytes);
  if (dtype === 'F32') return [...new Float32Array(buffer)];
  if (dtype === 'I64') return [...new BigInt64Array(buffer)].map(Number);
  return Array.from(new Uint16Array(buffer), dtype === 'BF16' ? fromBf16 : fromF16);
}

export function tensor(dtype: TestDtype, shape: readonly number[], values: readonly number[]): TestTensor {
  return { dtype, shape, data: encode(dtype, values) };
}

/** The bytes of a safetensors file with these tensors in this order. */
export function safetensors(tensors: TestTensors): Uint8Array {
  const header: Record<string, unknown> = { __metadata__: { format: 'pt' } };
  let position = 0;
  for (const [name, { dtype, shape, data }] of Object.entries(tensors)) {
    header[name] = { dtype, shape, data_offsets: [position, position + data.length] };
    position += data.length;
  }
  return withHeader(JSON.stringify(header), Buffer.concat(Object.values(tensors).map(({ data }) => data)));
}

/** A file that starts like safetensors, with any header text and any data. */
export function withHeader(header: string | Uint8Array, data: Uint8Array = new Uint8Array()): Uint8Array {
  const text = Buffer.from(header);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, data]);
}

export interface LlamaOptions {
  readonly layers?: number;
  readonly hidden?: number;
  readonly vocabulary?: number;
  readonly dtype?: TestDtype;
  readonly tied?: boolean;
}

export function llamaConfig(options: LlamaOptions = {}): Record<string, unknown> {
  const { layers = 2, hidden = 16, vocabulary = 32, dtype = 'BF16', tied = false } = options;
  const names: Record<string, string> = { BF16: 'bfloat16', F16: 'float16', F32: 'float32' };
  return {
    architectures: ['LlamaForCausalLM'],
    model_type: 'llama',
    hidden_size: hidden,
    intermediate_size: hidden * 2,
    num_hidden_layers: layers,
    num_attention_heads: 2,
    num_key_value_heads: 1,
    vocab_size: vocabulary,
    max_position_embeddings: 128,
    rms_norm_eps: 1e-5,
    tie_word_embeddings: tied,
    torch_dtype: names[dtype],
  };
}

/** The names and shapes of a Llama model's tensors. */
export function llamaShapes(options: LlamaOptions = {}): Record<string, number[]> {
  const { layers = 2, hidden = 16, vocabulary = 32, tied = false } = options;
  const shapes: Record<string, number[]> = { 'model.embed_tokens.weight': [vocabulary, hidden] };
  for (let layer = 0; layer < layers; layer++) {
    const prefix = `model.layers.${layer}`;
    shapes[`${prefix}.input_layernorm.weight`] = [hidden];
    shapes[`${prefix}.self_attn.q_proj.weight`] = [hidden, hidden];
    shapes[`${prefix}.self_attn.k_proj.weight`] = [hidden / 2, hidden];
    shapes[`${prefix}.self_attn.v_proj.weight`] = [hidden / 2, hidden];
    shapes[`${prefix}.self_attn.o_proj.weight`] = [hidden, hidden];
    shapes[`${prefix}.post_attention_layernorm.weight`] = [hidden];
    shapes[`${prefix}.mlp.gate_proj.weight`] = [hidden * 2, hidden];
    shapes[`${prefix}.mlp.up_proj.weight`] = [hidden * 2, hidden];
    shapes[`${prefix}.mlp.down_proj.weight`] = [hidden, hidden * 2];
  }
  shapes['model.norm.weight'] = [hidden];
  if (!tied) shapes['lm_head.weight'] = [vocabulary, hidden];
  return shapes;
}

/** A Llama model with random weights; `from` makes it a fine-tune that differs from that model a little. */
export function llamaTensors(seed: number, options: LlamaOptions = {}, from?: TestTensors): TestTensors {
  const next = random(seed);
  const gauss = () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
  const { dtype = 'BF16' } = options;
  return Object.fromEntries(
    Object.entries(llamaShapes(options)).map(([name, shape]) => {
      const count = shape.reduce((product, size) => product * size, 1);
      const source = from?.[name];
      const start = source ? decode(source.dtype, source.data) : undefined;
      const values = Array.from({ length: count }, (_, i) =>
        start ? (start[i] ?? 0) + gauss() * 0.002 : gauss() * 0.05,
      );
      return [name, tensor(dtype, shape, values)];
    }),
  );
}

export interface CheckpointOptions {
  readonly config: Readonly<Record<string, unknown>>;
  readonly tensors: TestTensors;
  /** Number of shards; one file without index unless told. */
  readonly shards?: number;
  readonly files?: Readonly<Record<string, string>>;
}

/** Writes a checkpoint folder. */
export async function writeCheckpoint(folder: string, options: CheckpointOptions): Promise<string> {
  const { config, tensors, shards = 1, files = {} } = options;
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'config.json'), `${JSON.stringify(config, undefined, 2)}\n`);
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  if (shards === 1) {
    await writeFile(join(folder, 'model.safetensors'), safetensors(tensors));
    return folder;
  }
  const map: Record<string, string> = {};
  const groups: Record<string, TestTensor>[] = Array.from({ length: shards }, () => ({}));
  for (const [index, [name, value]] of Object.entries(tensors).entries()) {
    const shard = index % shards;
    (groups[shard] ?? {})[name] = value;
    map[name] = `model-${shard + 1}.safetensors`;
  }
  for (const [index, group] of groups.entries()) {
    await writeFile(join(folder, `model-${index + 1}.safetensors`), safetensors(group));
  }
  const text = JSON.stringify({ metadata: {}, weight_map: map });
  await writeFile(join(folder, 'model.safetensors.index.json'), text);
  return folder;
}
