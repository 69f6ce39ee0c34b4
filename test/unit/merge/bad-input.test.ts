import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, readdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { UserError } from '../../../src/base/index.ts';
import { dryRun, type MergeOptions, merge } from '../../../src/merge/index.ts';
import { llamaConfig, llamaTensors, tensor, writeCheckpoint } from '../../support/checkpoints.ts';
import { temporaryFolder } from '../../support/temporary.ts';

const linearOf = (...models: string[]) =>
  `merge_method: linear\nparameters: {weight: 1}\nmodels:\n${models.map((model) => `  - model: ${model}\n`).join('')}`;

/** A folder with the models `a` and `b` and a recipe that merges them, unless told otherwise. */
async function prepare(
  t: TestContext,
  recipe = linearOf('a', 'b'),
): Promise<{ folder: string; recipe: string; out: string }> {
  const folder = await temporaryFolder(t);
  await writeCheckpoint(join(folder, 'a'), { config: llamaConfig(), tensors: llamaTensors(1) });
  await writeCheckpoint(join(folder, 'b'), { config: llamaConfig(), tensors: llamaTensors(2) });
  await writeFile(join(folder, 'recipe.yml'), recipe);
  return { folder, recipe: join(folder, 'recipe.yml'), out: join(folder, 'out') };
}

async function refusal(work: Promise<unknown>, kind: UserError['kind'] = 'usage'): Promise<UserError> {
  const error = await work.then(
    () => assert.fail('nothing was refused'),
    (reason: unknown) => reason,
  );
  assert(error instanceof UserError, error instanceof Error ? error.stack : String(error));
  assert.equal(error.kind, kind, error.message);
  return error;
}

/** Merge and dry run refuse alike, and nothing is left beside what was there. */
async function refusedCleanly(recipe: string, out: string, options?: MergeOptions): Promise<UserError> {
  const parent = join(out, '..');
  const before = (await readdir(parent)).sort();
  const error = await refusal(merge(recipe, out, options));
  assert.deepEqual((await readdir(parent)).sort(), before);
  const dry = await refusal(dryRun(recipe, out, options));
  assert.equal(dry.message, error.message);
  return error;
}

async function names(folder: string): Promise<string[]> {
  return (await readdir(folder)).sort();
}

describe('recipes and models that do not fit', () => {
  test('a recipe that does not exist', async (t) => {
    const folder = await temporaryFolder(t);
    const error = await refusedCleanly(join(folder, 'no.yml'), join(folder, 'out'));
    assert.match(error.message, /recipe cannot be read: no such file/);
  });

  test('a model that does not exist is named with its line', async (t) => {
    const { recipe, out } = await prepare(t, linearOf('a', 'org/model'));
    const error = await refusedCleanly(recipe, out);
    assert.match(error.message, /no folder "org\/model"/);
    assert.deepEqual([error.place.line, error.place.field], [5, 'models.1.model']);
    assert.match(error.remedy ?? '', /downloads nothing/);
  });

  const recipes: Record<string, [text: string, line: number, says: RegExp]> = {
    'the same model twice': [linearOf('a', 'b', './b'), 6, /\.\/b is listed twice, first in line 5/],
    'an adapter reference': [linearOf('a', 'b+a'), 5, /adapter \(model\+lora\) cannot be used/],
    'an adapter in the long form': [linearOf('a', '{model: b, lora: x}'), 5, /adapter \(lora\)/],
    slices: [
      'merge_method: linear\nslices:\n  - sources: [{model: a, layer_range: [0, 2]}]\n',
      3,
      /slices cannot be merged yet/,
    ],
    'a tokenizer': [`${linearOf('a', 'b')}tokenizer: {source: union}\n`, 6, /tokenizer cannot be merged yet/],
    'task arithmetic without a base': [
      linearOf('a', 'b').replace('linear', 'task_arithmetic'),
      1,
      /task_arithmetic requires a base_model/,
    ],
    'a weight for one model alone': [
      'merge_method: linear\nmodels:\n  - model: a\n    parameters: {weight: 1}\n  - model: b\n',
      5,
      /requires the parameter weight, which lm_head\.weight of b has none of/,
    ],
    'a weight that no filter gives to a tensor': [
      'merge_method: linear\nmodels: [{model: a}]\nparameters: {weight: [{filter: mlp, value: 1}]}\n',
      2,
      /requires the parameter weight, which lm_head\.weight/,
    ],
    'weights that sum to zero': [
      'merge_method: linear\nmodels: [{model: a, parameters: {weight: 1}}, {model: b, parameters: {weight: -1}}]\n',
      2,
      /sum to zero.*lm_head/,
    ],
  };
  for (const [what, [text, line, says]] of Object.entries(recipes)) {
    test(`${what}: refused at its line`, async (t) => {
      const { recipe, out } = await prepare(t, text);
      const error = await refusedCleanly(recipe, out);
      assert.match(error.message, says);
      assert.deepEqual([error.place.file, error.place.line], [recipe, line]);
    });
  }

  test('a tensor that one model lacks, with the depths when they differ', async (t) => {
    const { folder, recipe, out } = await prepare(t);
    const { 'model.norm.weight': _, ...rest } = llamaTensors(2);
    await writeCheckpoint(join(folder, 'b'), { config: llamaConfig(), tensors: rest });
    const error = await refusedCleanly(recipe, out);
    assert.match(error.message, /model\.norm\.weight of a is missing in b$/);
    assert.deepEqual(error.place, { file: join(folder, 'b'), field: 'model.norm.weight' });
    const deeper = { layers: 3 };
    await writeCheckpoint(join(folder, 'a'), {
      config: llamaConfig(deeper),
      tensors: llamaTensors(1, deeper),
    });
    await writeCheckpoint(join(folder, 'b'), { config: llamaConfig(), tensors: llamaTensors(2) });
    assert.match((await refusedCleanly(recipe, out)).message, /b has 2 layers, a 3/);
  });

  test('a head that is missing although the config says that it is not tied', async (t) => {
    const { folder, recipe, out } = await prepare(t);
    await writeCheckpoint(join(folder, 'b'), {
      config: llamaConfig(),
      tensors: llamaTensors(2, { tied: true }),
    });
    assert.match((await refusedCleanly(recipe, out)).message, /lm_head\.weight of a is missing in b/);
  });

  test('different shapes, with a hint at the vocabulary', async (t) => {
    const { folder, recipe, out } = await prepare(t);
    const wider = { vocabulary: 40 };
    await writeCheckpoint(join(folder, 'b'), { config: llamaConfig(wider), tensors: llamaTensors(2, wider) });
    const error = await refusedCleanly(recipe, out);
    assert.match(
      error.message,
      /lm_head\.weight has different sizes \(a: BF16 \[32, 16\], b: BF16 \[40, 16\]\)/,
    );
    assert.match(error.remedy ?? '', /vocabular/);
  });

  test('different architectures', async (t) => {
    const { folder, recipe, out } = await prepare(t);
    const config = { ...llamaConfig(), architectures: ['Qwen2ForCausalLM'] };
    await writeCheckpoint(join(folder, 'b'), { config, tensors: llamaTensors(2) });
    const error = await refusedCleanly(recipe, out);
    assert.match(error.message, /b is a Qwen2ForCausalLM, but a a LlamaForCausalLM/);
    assert.equal(error.place.line, 5);
  });

  test('an integer in one model only, and a type that cannot be merged', async (t) => {
    const { folder, recipe, out } = await prepare(t);
    await writeCheckpoint(join(folder, 'a'), { config: {}, tensors: { x: tensor('F32', [2], [1, 2]) } });
    await writeCheckpoint(join(folder, 'b'), { config: {}, tensors: { x: tensor('I64', [2], [1, 2]) } });
    assert.match((await refusedCleanly(recipe, out)).message, /x is an integer in one model/);
    for (const model of ['a', 'b']) {
      const file = join(folder, model, 'model.safetensors');
      const header = '{"x":{"dtype":"F8_E4M3","shape":[2],"data_offsets":[0,2]}}';
      const length = Buffer.alloc(8);
      length.writeBigUInt64LE(BigInt(header.length));
      await writeFile(file, Buffer.concat([length, Buffer.from(header), Buffer.alloc(2)]));
    }
    assert.match(
      (await refusedCleanly(recipe, out)).message,
      /x is stored as F8_E4M3, which cannot be merged/,
    );
  });

  test('a truncated file, and a folder without weights', async (t) => {
    const { folder, recipe, out } = await prepare(t);
    const file = join(folder, 'b', 'model.safetensors');
    await truncate(file, 3000);
    const error = await refusedCleanly(recipe, out);
    assert.match(error.message, /truncated/);
    assert.equal(error.place.file, file);
    await rm(file);
    assert.match((await refusedCleanly(recipe, out)).message, /no weights that can be read/);
  });

  test('no workers', async (t) => {
    const { recipe, out } = await prepare(t);
    for (const workers of [0, -1, 1.5, Number.NaN]) {
      assert.match((await refusedCleanly(recipe, out, { workers })).message, /at least one worker/);
    }
  });
});

describe('what stands where the result should go', () => {
  const stands: Record<string, [make: (out: string, folder: string) => Promise<void>, says: RegExp]> = {
    'a file': [(out) => writeFile(out, 'mine'), /is a file/],
    'a folder with other files': [
      async (out) => {
        await mkdir(out);
        await writeFile(join(out, 'thesis.tex'), 'mine');
      },
      /holds thesis\.tex/,
    ],
    'a checkpoint that no merge made': [
      async (out) => {
        await writeCheckpoint(out, { config: llamaConfig(), tensors: llamaTensors(9) });
      },
      /not made by a merge/,
    ],
    'a result with something of the user in it': [
      async (out) => {
        await writeCheckpoint(out, {
          config: llamaConfig(),
          tensors: llamaTensors(9),
          files: { 'mergekit_config.yml': '', 'notes.md': 'mine' },
        });
      },
      /holds notes\.md/,
    ],
    'a link to a model that is merged': [(out, folder) => symlink(join(folder, 'a'), out), /holds the model/],
  };
  for (const [what, [make, says]] of Object.entries(stands)) {
    test(`${what} is not replaced`, async (t) => {
      const { folder, recipe, out } = await prepare(t);
      await make(out, folder);
      const error = await refusedCleanly(recipe, out);
      assert.match(error.message, says);
      assert.equal(error.place.file, out);
    });
  }

  test('the folder of the models themselves', async (t) => {
    const { folder, recipe } = await prepare(t);
    assert.match((await refusedCleanly(recipe, folder)).message, /holds the model/);
    assert.match((await refusedCleanly(recipe, join(folder, 'a'))).message, /holds the model/);
  });
});

describe('a merge that ends early', () => {
  test('cancelled before and during the work: nothing is left, an earlier result stays', async (t) => {
    const { folder, recipe, out } = await prepare(t);
    await merge(recipe, out);
    const before = await readFile(join(out, 'model.safetensors'));
    await writeFile(recipe, linearOf('a'));
    await refusal(merge(recipe, out, { signal: AbortSignal.abort() }), 'cancelled');
    for (const tile of [0, 1, 12]) {
      const controller = new AbortController();
      let seen = 0;
      let aborted = 0;
      const onProgress = () => {
        if (seen++ !== tile) return;
        aborted = performance.now();
        controller.abort();
      };
      await refusal(merge(recipe, out, { signal: controller.signal, onProgress }), 'cancelled');
      assert(performance.now() - aborted < 1000);
      assert.deepEqual(await names(folder), ['a', 'b', 'out', 'recipe.yml']);
      assert.deepEqual(await readFile(join(out, 'model.safetensors')), before);
    }
  });

  test('a model that becomes shorter while it is merged is named', async (t) => {
    const { folder, recipe, out } = await prepare(t);
    const file = join(folder, 'b', 'model.safetensors');
    let first = true;
    const onProgress = () => {
      if (first) execFileSync('truncate', ['-s', '100', file]);
      first = false;
    };
    const error = await refusal(merge(recipe, out, { onProgress }));
    assert.match(error.message, /The tensor \S+ has become shorter/);
    assert.equal(error.place.file, file);
    assert.deepEqual(await names(folder), ['a', 'b', 'recipe.yml']);
  });

  test('a full disk: said before the start, and when it fills up in the middle', async (t) => {
    if (process.platform !== 'linux' || process.getuid?.() !== 0)
      return t.skip('needs root on Linux to mount a small disk');
    const { folder, recipe } = await prepare(t);
    const disk = join(folder, 'disk');
    await mkdir(disk);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', disk]);
    try {
      await mergeOntoSmallDisk(folder, recipe, disk);
    } finally {
      execFileSync('umount', [disk]);
    }
  });
});

/** The disk holds 1 MiB. */
async function mergeOntoSmallDisk(folder: string, recipe: string, disk: string): Promise<void> {
  const out = join(disk, 'out');
  const model = async (elements: number) => {
    const tensors = { w: tensor('F32', [elements], Array(elements).fill(1)) };
    await writeCheckpoint(join(folder, 'a'), { config: {}, tensors });
    await writeFile(recipe, linearOf('a'));
  };

  await model(400_000);
  const early = await refusal(merge(recipe, out), 'work');
  assert.match(early.message, /disk is too full.*1\.6 MB, 1\.05 MB are free/);
  assert.deepEqual(await names(disk), []);
  assert((await dryRun(recipe, out)).diskNeeded > 1_600_000);

  await model(150_000);
  let first = true;
  const fill = () => {
    if (first) execFileSync('sh', ['-c', `head -c 900000 /dev/zero > ${join(disk, 'other')}`]);
    first = false;
  };
  const late = await refusal(merge(recipe, out, { onProgress: fill, bufferMemory: 1 }), 'work');
  assert.match(late.message, /The tensor w cannot be written: the disk is full/);
  assert.match(late.remedy ?? '', /Free some space/);
  assert.deepEqual(await names(disk), ['other']);
}
