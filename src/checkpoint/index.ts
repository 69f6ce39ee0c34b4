export { dtypes, elementCount, tensorBytes } from './dtypes.ts';
export { openCheckpoint } from './folder.ts';
export { inspectCheckpoint } from './inspect.ts';
export { editJsonText, readJsonObject } from './json.ts';
export {
  layOutSafetensors,
  readSafetensorsHeader,
  readTensor,
} from './safetensors.ts';
export { planShards, type ShardPlan } from './shards.ts';
export type { Checkpoint, Dtype, Inspection, TensorInfo, TensorSpec } from './types.ts';
export { carryOver, companionFiles, isCheckpointFile, type OpenShard, writeShards } from './write.ts';
