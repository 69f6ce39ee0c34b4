import { copyFile, type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { fromSystemError, writeFileAtomic } from '../base/index.ts';
import { listFolder } from './folder.ts';
import { editJsonText, readText } from './json.ts';
import type { PlannedShard, ShardPlan } from './shards.ts';

/** A weight file that is open for writing at any position. */
export interface OpenShard {
  readonly shard: PlannedShard;
  readonly file: string;
  readonly handle: FileHandle;
}

/**
 * Writes the headers of all weight files into `folder` and hands the open files to `fill`, which writes each
 * tensor's bytes at its place, in any order and from any thread. Afterwards the files are on the disk (fsync),
 * together with their index. The folder's own atomicity is the caller's.
 */
export async function writeShards<T>(
  folder: string,
  plan: ShardPlan,
  fill: (files: readonly OpenShard[]) => Promise<T>,
): Promise<T> {
  const files: OpenShard[] = [];
  try {
    for (const shard of plan.shards) {
      const file = join(folder, shard.name);
      const handle = await open(file, 'wx');
      files.push({ shard, file, handle });
      await handle.write(shard.header, 0, shard.header.length, 0);
      // The whole length at once, so that a tensor of no bytes at the end needs no write.
      await handle.truncate(shard.bytes);
    }
    const result = await fill(files);
    for (const { handle } of files) await handle.sync();
    if (plan.index) await writeFileAtomic(join(folder, plan.index.name), plan.index.text);
    return result;
  } catch (error) {
    throw fromSystemError(error, 'Cannot write the weights', folder);
  } finally {
    for (const { handle } of files) await handle.close().catch(() => undefined);
  }
}

/** Files beside config.json and the weights that make a checkpoint usable, copied byte for byte. */
const companions: ReadonlySet<string> = new Set([
  'added_tokens.json',
  'chat_template.jinja',
  'chat_template.json',
  'generation_config.json',
  'merges.txt',
  'normalizer.json',
  'preprocessor_config.json',
  'processor_config.json',
  'sentencepiece.bpe.model',
  'special_tokens_map.json',
  'spiece.model',
  'tokenizer.json',
  'tokenizer.model',
  'tokenizer_config.json',
  'video_preprocessor_config.json',
  'vocab.json',
  'vocab.txt',
]);

/** Whether a file is one that a checkpoint's folder consists of: configuration, weights, index, companions. */
export function isCheckpointFile(name: string): boolean {
  return (
    companions.has(name) ||
    ['config.json', 'model.safetensors.index.json'].includes(name) ||
    /^model(-\d{5}-of-\d{5})?\.safetensors$/.test(name)
  );
}

/** The companion files of a checkpoint's folder: tokenizer, chat template, generation settings. */
export async function companionFiles(folder: string): Promise<string[]> {
  return (await listFolder(folder, 'The checkpoint')).filter((name) => companions.has(name));
}

/**
 * Carries config.json and the companion files of `source` over into `target`. Of config.json only the keys in
 * `changes` differ; every other character stays.
 */
export async function carryOver(
  source: string,
  target: string,
  changes: Readonly<Record<string, unknown>>,
): Promise<void> {
  const config = await readText(join(source, 'config.json'), "The checkpoint's config.json");
  await writeFileAtomic(join(target, 'config.json'), editJsonText(config, changes));
  for (const name of await companionFiles(source)) {
    const copy = join(target, name);
    try {
      await copyFile(join(source, name), copy);
      const handle = await open(copy, 'r+');
      await handle.sync().finally(() => handle.close());
    } catch (error) {
      throw fromSystemError(error, 'Cannot copy the file', copy);
    }
  }
}
