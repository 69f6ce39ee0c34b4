import { basename, join, resolve } from 'node:path';
import { elementCount } from './dtypes.ts';
import { listFolder, openCheckpoint } from './folder.ts';
import { readJsonObject } from './json.ts';
import { readSafetensorsHeader } from './safetensors.ts';
import type { Dtype, Inspection, TensorInfo } from './types.ts';

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function count(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0 ? value : undefined;
}

/** The kind of a folder's tokenizer: its algorithm where tokenizer.json says it, else the file that holds it. */
async function tokenizerKind(folder: string, names: readonly string[]): Promise<string | null> {
  if (names.includes('tokenizer.json')) {
    const { model } = await readJsonObject(join(folder, 'tokenizer.json'), 'The tokenizer');
    const type = text((model as { type?: unknown } | null | undefined)?.type);
    return type ?? 'tokenizer.json';
  }
  if (names.some((name) => /^(tokenizer\.model|spiece\.model|sentencepiece\..*model)$/.test(name))) {
    return 'SentencePiece';
  }
  if (names.includes('vocab.json') && names.includes('merges.txt')) return 'BPE';
  return names.includes('vocab.txt') ? 'WordPiece' : null;
}

function summarize(tensors: Iterable<TensorInfo>) {
  const dtypes: Partial<Record<Dtype, number>> = {};
  let parameters = 0;
  let bytes = 0;
  let tensorCount = 0;
  for (const tensor of tensors) {
    const elements = elementCount(tensor.shape);
    dtypes[tensor.dtype] = (dtypes[tensor.dtype] ?? 0) + elements;
    parameters += elements;
    bytes += tensor.end - tensor.begin;
    tensorCount++;
  }
  return { parameters, dtypes, bytes, tensors: tensorCount };
}

async function inspectAdapter(folder: string, names: readonly string[]): Promise<Inspection> {
  const config = await readJsonObject(join(folder, 'adapter_config.json'), "The adapter's configuration");
  const { tensors } = await readSafetensorsHeader(join(folder, 'adapter_model.safetensors'));
  const type = text(config.peft_type) ?? 'unknown';
  const rank = count(config.r);
  const base = text(config.base_model_name_or_path);
  return {
    architecture: `${type} adapter`,
    ...summarize(tensors),
    tokenizer: await tokenizerKind(folder, names),
    contextTokens: null,
    adapter: {
      type,
      ...(rank === undefined ? {} : { rank }),
      ...(base === undefined ? {} : { base }),
    },
  };
}

/**
 * What a checkpoint or adapter is, from its headers and JSON files alone. `dtypes` counts parameters, tied
 * weights once as they are stored. Throws what {@link openCheckpoint} throws.
 */
export async function inspectCheckpoint(path: string): Promise<Inspection> {
  const folder = resolve(path);
  const names = await listFolder(folder, 'The checkpoint');
  if (!names.includes('config.json') && names.includes('adapter_model.safetensors')) {
    if (names.includes('adapter_config.json')) return inspectAdapter(folder, names);
  }
  const { config, tensors } = await openCheckpoint(folder);
  const inner = (config.text_config ?? {}) as Record<string, unknown>;
  const architectures = Array.isArray(config.architectures) ? config.architectures : [];
  const context = ['max_position_embeddings', 'n_positions', 'max_seq_len', 'seq_length', 'n_ctx']
    .map((key) => count(config[key]) ?? count(inner[key]))
    .find((value) => value !== undefined);
  return {
    architecture: text(architectures[0]) ?? text(config.model_type) ?? `unknown (${basename(folder)})`,
    ...summarize(tensors.values()),
    tokenizer: await tokenizerKind(folder, names),
    contextTokens: context ?? null,
  };
}
