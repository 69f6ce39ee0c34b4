import { tensorBytes } from './dtypes.ts';
import { layOutSafetensors, type PlacedTensor } from './safetensors.ts';
import type { TensorSpec } from './types.ts';

/** One weight file that is to be written. */
export interface PlannedShard {
  readonly name: string;
  /** The file's first bytes. */
  readonly header: Uint8Array;
  readonly tensors: readonly PlacedTensor[];
  readonly bytes: number;
}

/** All weight files of a checkpoint that is to be written, and the text of their index when there are several. */
export interface ShardPlan {
  readonly shards: readonly PlannedShard[];
  readonly index?: { readonly name: string; readonly text: string };
  /** Bytes of all files but the index. */
  readonly bytes: number;
}

/**
 * Distributes tensors over files in the given order, as mergekit does: a tensor opens a new file when the current
 * one holds something and would grow beyond `maxShardBytes` of data. 0 or less means one file.
 */
export function planShards(tensors: readonly TensorSpec[], maxShardBytes: number): ShardPlan {
  const groups: TensorSpec[][] = [];
  let size = 0;
  for (const tensor of tensors) {
    const bytes = tensorBytes(tensor);
    let group = groups.at(-1);
    if (group === undefined || (maxShardBytes > 0 && size > 0 && size + bytes > maxShardBytes)) {
      group = [];
      groups.push(group);
      size = 0;
    }
    group.push(tensor);
    size += bytes;
  }
  const number = (value: number) => String(value).padStart(5, '0');
  const shards = groups.map((group, index) => ({
    name:
      groups.length === 1
        ? 'model.safetensors'
        : `model-${number(index + 1)}-of-${number(groups.length)}.safetensors`,
    ...layOutSafetensors(group),
  }));
  const bytes = shards.reduce((sum, shard) => sum + shard.bytes, 0);
  if (shards.length <= 1) return { shards, bytes };
  const index = {
    metadata: { total_size: tensors.reduce((sum, tensor) => sum + tensorBytes(tensor), 0) },
    weight_map: Object.fromEntries(
      groups.flatMap((group, at) => group.map((tensor) => [tensor.name, shards[at]?.name])),
    ),
  };
  return {
    shards,
    bytes,
    index: { name: 'model.safetensors.index.json', text: `${JSON.stringify(index, undefined, 2)}\n` },
  };
}
