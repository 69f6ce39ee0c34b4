import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { stringify } from 'yaml';
import { type Checkpoint, openCheckpoint, readTensor } from '../../src/checkpoint/index.ts';
import { type MergeOptions, merge } from '../../src/merge/index.ts';
import { decode, llamaConfig, type TestTensors, writeCheckpoint } from './checkpoints.ts';
import { temporaryFolder } from './temporary.ts';

/** A folder with models and the result of a merge in it. */
export interface MergeFolder {
  readonly folder: string;
  readonly out: string;
  model(
    name: string,
    tensors: TestTensors,
    options?: Partial<Parameters<typeof writeCheckpoint>[1]>,
  ): Promise<void>;
  /** Merges a recipe given as a value and opens the result. */
  run(recipe: unknown, options?: MergeOptions): Promise<Checkpoint>;
}

export async function mergeFolder(t: TestContext): Promise<MergeFolder> {
  const folder = await temporaryFolder(t);
  const out = join(folder, 'out');
  return {
    folder,
    out,
    async model(name, tensors, options = {}) {
      await writeCheckpoint(join(folder, name), { config: llamaConfig(), tensors, ...options });
    },
    async run(recipe, options) {
      const file = join(folder, 'recipe.yml');
      await writeFile(file, stringify(recipe));
      await merge(file, out, options);
      return openCheckpoint(out);
    },
  };
}

/** The numbers of a checkpoint's tensor. */
export async function values(checkpoint: Checkpoint, name: string): Promise<number[]> {
  const info = checkpoint.tensors.get(name);
  assert(info, `there is no ${name}`);
  return decode(info.dtype, await readTensor(info));
}

/** The numbers of a tensor that a test made. */
export function stored(tensors: TestTensors, name: string): number[] {
  const found = tensors[name];
  assert(found);
  return decode(found.dtype, found.data);
}
