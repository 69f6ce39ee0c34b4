import { open, stat } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { folderAtomic, throwIfCancelled, UserError, writeFileAtomic } from '../base/index.ts';
import { carryOver, companionFiles } from '../checkpoint/index.ts';
import { modelCard } from './card.ts';
import { executePlan } from './execute.ts';
import { layOutMemory } from './memory.ts';
import { type MergePlan, planMerge } from './plan.ts';
import { readRecipe } from './recipe/parse.ts';
import { checkTarget, diskTooSmall, freeSpace, recipeCopy } from './target.ts';
import type { DryRunResult, MergeOptions, MergeResult } from './types.ts';

const defaultBufferMemory = 256 * 2 ** 20;

/**
 * Memory that a merge takes beside its buffers: once for the kernels and the shared thread pool, and for each worker
 * its own JavaScript engine. Measured with 1, 2 and 4 workers.
 */
const fixedOverheadBytes = 8 * 2 ** 20;
const workerOverheadBytes = 15 * 2 ** 20;

/** Bytes a second, read and written, that one worker merges from the page cache: measured by test/bench/merge. */
const workerSpeed = 1e9;

/** A worker takes longer to start than to merge less than this. */
const bytesPerWorker = 32e6;

/** Bytes of a file that a dry run reads to measure how fast the disk gives them. */
const sampleBytes = 64 * 2 ** 20;

interface Preparation {
  readonly plan: MergePlan;
  /** Absolute, links resolved. */
  readonly target: string;
  readonly workers: number;
  readonly diskNeeded: number;
  readonly diskFree: number;
}

/** All that is done before the first byte is written; dry run and merge share it. */
async function prepare(recipePath: string, out: string, options: MergeOptions): Promise<Preparation> {
  const { workers } = options;
  if (workers !== undefined && !(Number.isInteger(workers) && workers >= 1)) {
    throw new UserError(`A merge needs at least one worker, not ${workers}`, { place: { field: 'workers' } });
  }
  const recipe = await readRecipe(recipePath);
  throwIfCancelled(options.signal, 'The merge');
  const plan = await planMerge(recipe, options);
  const models = plan.inputs.map((input) => input.checkpoint.folder);
  const target = await checkTarget(out, models, recipe.file);
  const companions = await companionFiles(plan.donor.folder);
  const sizes = await Promise.all(companions.map((name) => stat(join(plan.donor.folder, name))));
  const indexBytes = plan.shards.index ? Buffer.byteLength(plan.shards.index.text) : 0;
  const small =
    sizes.reduce((sum, { size }) => sum + size, 0) + indexBytes + 2 * Buffer.byteLength(recipe.text);
  return {
    plan,
    target,
    workers: workers ?? usefulWorkers(plan),
    diskNeeded: plan.shards.bytes + small,
    diskFree: await freeSpace(target),
  };
}

/** All cores but one, both of two, and no more than the merge has work for. */
function usefulWorkers(plan: MergePlan): number {
  const cores = availableParallelism();
  const work = Math.ceil((plan.bytesRead + plan.shards.bytes) / bytesPerWorker);
  return Math.min(Math.max(Math.min(2, cores), cores - 1), Math.max(1, work));
}

function layoutFor(plan: MergePlan, workers: number, options: MergeOptions) {
  return layOutMemory(plan.tensors, workers, options.bufferMemory ?? defaultBufferMemory);
}

/** Bytes a second with which the first input can be read, from a sample of it. */
async function measureReadSpeed(plan: MergePlan): Promise<number> {
  const [file] = plan.files;
  if (file === undefined) return Number.POSITIVE_INFINITY;
  const handle = await open(file, 'r');
  try {
    const buffer = Buffer.alloc(4 * 2 ** 20);
    const start = performance.now();
    let bytes = 0;
    while (bytes < sampleBytes) {
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, bytes);
      if (bytesRead === 0) break;
      bytes += bytesRead;
    }
    return bytes / ((performance.now() - start) / 1000);
  } finally {
    await handle.close();
  }
}

/**
 * What a merge would read, write and need, without writing anything. All mistakes that a merge would report before
 * it starts are reported. The time is an estimate: all bytes at the speed at which the first input could be read just
 * now, or at the speed of the workers where that is less.
 */
export async function dryRun(
  recipePath: string,
  out: string,
  options: MergeOptions = {},
): Promise<DryRunResult> {
  const { plan, workers, diskNeeded, diskFree } = await prepare(recipePath, out, options);
  const layout = layoutFor(plan, workers, options);
  const speed = Math.min(await measureReadSpeed(plan), workers * workerSpeed);
  return {
    tensors: plan.tensors.length,
    parameters: plan.parameters,
    bytesRead: plan.bytesRead,
    bytesWritten: plan.shards.bytes,
    peakRssBytes:
      process.memoryUsage.rss() + fixedOverheadBytes + workers * (layout.workerBytes + workerOverheadBytes),
    diskNeeded,
    diskFree,
    estimatedSeconds: (plan.bytesRead + plan.shards.bytes) / speed,
    warnings: plan.warnings,
  };
}

/**
 * Runs a recipe and writes the resulting checkpoint to the folder `out`, whole or not at all: work happens in a
 * folder beside it, which takes its name at the end. Weights are streamed through worker threads, so memory does
 * not grow with the models. A cancelled merge (`options.signal`) ends within a second and leaves nothing behind.
 * @throws UserError `usage` for a recipe, model or target that cannot be used, `work` for a full disk and the like
 */
export async function merge(
  recipePath: string,
  out: string,
  options: MergeOptions = {},
): Promise<MergeResult> {
  const start = performance.now();
  const { plan, target, workers, diskNeeded, diskFree } = await prepare(recipePath, out, options);
  if (diskFree < diskNeeded) throw diskTooSmall(out, diskNeeded, diskFree);
  const layout = layoutFor(plan, workers, options);
  await folderAtomic(target, async (folder) => {
    await executePlan(plan, folder, { ...options, workers, layout });
    await carryOver(plan.donor.folder, folder, plan.configChanges);
    await writeFileAtomic(join(folder, recipeCopy), plan.recipe.text);
    await writeFileAtomic(join(folder, 'README.md'), modelCard(plan, basename(resolve(out))));
    throwIfCancelled(options.signal, 'The merge');
  });
  return {
    tensors: plan.tensors.length,
    parameters: plan.parameters,
    bytesRead: plan.bytesRead,
    bytesWritten: plan.shards.bytes,
    seconds: (performance.now() - start) / 1000,
    peakRssBytes: process.resourceUsage().maxRSS * 1024,
    warnings: plan.warnings,
  };
}
