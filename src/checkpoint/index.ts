export { dtypes, elementCount, isDtype, tensorBytes } from './dtypes.ts';
export { openCheckpoint } from './folder.ts';
export { inspectCheckpoint } from './inspect.ts';
export { editJsonText, readJsonObject } from './json.ts';
export {
  layOutSafetensors,
  type PlacedTensor,
  readSafetensorsHeader,
  readTensor,
  type SafetensorsHeader,
} from './safetensors.ts';
export { type PlannedShard, planShards, type ShardPlan } from './shards.ts';
export type { Checkpoint, Dtype, Inspection, TensorInfo, TensorSpec } from './types.ts';
export { carryOver, companionFiles, isCheckpointFile, type OpenShard, writeShards } from './write.ts';
