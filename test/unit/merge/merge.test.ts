import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { stringify } from 'yaml';
import { type Checkpoint, openCheckpoint, readTensor } from '../../../src/checkpoint/index.ts';
import { dryRun, type MergeOptions, merge } from '../../../src/merge/index.ts';
import {
  decode,
  encode,
  llamaConfig,
  llamaTensors,
  random,
  type TestDtype,
  type TestTensors,
  tensor,
  writeCheckpoint,
} from '../../support/checkpoints.ts';
import { temporaryFolder } from '../../support/temporary.ts';

const { fround } = Math;

interface Workbench {
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

async function workbench(t: TestContext): Promise<Workbench> {
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

async function values(checkpoint: Checkpoint, name: string): Promise<number[]> {
  const info = checkpoint.tensors.get(name);
  assert(info, `there is no ${name}`);
  return decode(info.dtype, await readTensor(info));
}

function stored(tensors: TestTensors, name: string): number[] {
  const found = tensors[name];
  assert(found);
  return decode(found.dtype, found.data);
}

/** Rounds to a format the way the result is written. */
function rounded(dtype: TestDtype, numbers: readonly number[]): number[] {
  return decode(dtype, encode(dtype, numbers));
}

/** out = Σ w·x / Σ w in f32, step by step, as the profile f32 defines it. */
function linear(inputs: readonly number[][], weights: readonly number[], normalize = true): number[] {
  const total = weights.map(fround).reduce((sum, weight) => fround(sum + weight), 0);
  return (inputs[0] ?? []).map((_, i) => {
    const sum = inputs.reduce((acc, x, m) => fround(acc + fround((x[i] ?? 0) * fround(weights[m] ?? 0))), 0);
    return normalize ? fround(sum / total) : sum;
  });
}

/** out = base + λ·Σ w·(x − base) in f32. */
function taskArithmetic(
  base: number[],
  inputs: readonly number[][],
  weights: readonly number[],
  lambda = 1,
): number[] {
  return base.map((b, i) => {
    const mix = inputs.reduce(
      (acc, x, m) => fround(acc + fround(fround((x[i] ?? 0) - b) * fround(weights[m] ?? 0))),
      0,
    );
    return fround(b + (lambda === 1 ? mix : fround(mix * fround(lambda))));
  });
}

describe('merged tensors', () => {
  for (const dtype of ['BF16', 'F16', 'F32'] as const) {
    test(`linear in ${dtype}, one input in shards: every tensor is the weighted average`, async (t) => {
      const bench = await workbench(t);
      const [a, b] = [llamaTensors(1, { dtype }), llamaTensors(2, { dtype })];
      await bench.model('a', a);
      await bench.model('b', b, { shards: 3 });
      const result = await bench.run({
        merge_method: 'linear',
        models: [
          { model: 'a', parameters: { weight: 0.3 } },
          { model: 'b', parameters: { weight: 0.9 } },
        ],
      });
      assert.deepEqual([...result.tensors.keys()].sort(), Object.keys(a).sort());
      for (const name of Object.keys(a)) {
        assert.equal(result.tensors.get(name)?.dtype, dtype);
        assert.deepEqual(
          await values(result, name),
          rounded(dtype, linear([stored(a, name), stored(b, name)], [0.3, 0.9])),
          name,
        );
      }
    });
  }

  test('task arithmetic with a base outside the list, gradients, filters and lambda', async (t) => {
    const bench = await workbench(t);
    const options = { layers: 3 };
    const base = llamaTensors(1, options);
    const [a, b] = [llamaTensors(2, options, base), llamaTensors(3, options, base)];
    for (const [name, tensors] of Object.entries({ base, a, b })) {
      await bench.model(name, tensors, { config: llamaConfig(options) });
    }
    const result = await bench.run({
      merge_method: 'task_arithmetic',
      base_model: 'base',
      models: [
        { model: 'a', parameters: { weight: [0, 1] } },
        {
          model: 'b',
          parameters: {
            weight: [
              { filter: 'mlp', value: [0.4, 0.8, 0.1] },
              { filter: 'lm_head', value: [0.6, 0.9] },
            ],
          },
        },
      ],
      parameters: { weight: 0.25, lambda: 0.7 },
    });
    const weights: Record<string, [number, number]> = {
      'model.embed_tokens.weight': [0, 0.25],
      // Outside the layers a gradient counts with its first value, the output projection included.
      'lm_head.weight': [0, 0.6],
      'model.layers.0.mlp.up_proj.weight': [0, 0.4],
      'model.layers.1.mlp.up_proj.weight': [0.5, 0.8],
      'model.layers.2.mlp.down_proj.weight': [1, 0.1],
      'model.layers.1.self_attn.q_proj.weight': [0.5, 0.25],
      'model.layers.2.input_layernorm.weight': [1, 0.25],
    };
    for (const [name, pair] of Object.entries(weights)) {
      const expected = taskArithmetic(stored(base, name), [stored(a, name), stored(b, name)], pair, 0.7);
      assert.deepEqual(await values(result, name), rounded('BF16', expected), name);
    }
  });

  test('a base in the list is compared with, not merged', async (t) => {
    const bench = await workbench(t);
    const base = llamaTensors(1);
    const a = llamaTensors(2, {}, base);
    await bench.model('base', base);
    await bench.model('a', a);
    const recipe = (models: unknown[]) => ({
      merge_method: 'task_arithmetic',
      base_model: 'base',
      models,
      parameters: { weight: 0.5 },
    });
    const name = 'model.layers.0.mlp.up_proj.weight';
    const expected = rounded('BF16', taskArithmetic(stored(base, name), [stored(a, name)], [0.5]));
    assert.deepEqual(
      await values(await bench.run(recipe([{ model: 'base' }, { model: 'a' }])), name),
      expected,
    );
    assert.deepEqual(await values(await bench.run(recipe([{ model: 'a' }])), name), expected);
    // With the base alone, the base comes back.
    assert.deepEqual(await values(await bench.run(recipe([{ model: 'base' }])), name), stored(base, name));
  });

  test('linear averages an unlisted base in, when a weight for it is given', async (t) => {
    const bench = await workbench(t);
    const [base, a] = [llamaTensors(1), llamaTensors(2)];
    await bench.model('base', base);
    await bench.model('a', a);
    const result = await bench.run({
      merge_method: 'linear',
      base_model: 'base',
      models: [{ model: 'a', parameters: { weight: 3 } }],
      parameters: { weight: 1, normalize: false },
    });
    const name = 'model.norm.weight';
    const expected = linear([stored(a, name), stored(base, name)], [3, 1], false);
    assert.deepEqual(await values(result, name), rounded('BF16', expected));
  });

  test('different formats are promoted, and dtype and out_dtype decide what is written', async (t) => {
    const bench = await workbench(t);
    const [a, b] = [llamaTensors(1, { dtype: 'BF16' }), llamaTensors(2, { dtype: 'F16' })];
    await bench.model('a', a);
    await bench.model('b', b);
    const name = 'model.layers.1.mlp.gate_proj.weight';
    const expected = linear([stored(a, name), stored(b, name)], [1, 1]);
    const recipe = {
      merge_method: 'linear',
      models: [{ model: 'a' }, { model: 'b' }],
      parameters: { weight: 1 },
    };
    for (const [extra, dtype, config] of [
      [{}, 'F32', 'bfloat16'],
      [{ dtype: 'float16' }, 'F16', 'float16'],
      [{ dtype: 'float32', out_dtype: 'bfloat16' }, 'BF16', 'bfloat16'],
      [{ out_dtype: 'torch.float16' }, 'F16', 'float16'],
    ] as const) {
      const result = await bench.run({ ...recipe, ...extra });
      assert.equal(result.tensors.get(name)?.dtype, dtype);
      assert.deepEqual(await values(result, name), rounded(dtype, expected));
      assert.equal(result.config.torch_dtype, config);
    }
  });

  test('the bytes do not depend on workers, tiles or the sharding of the result', async (t) => {
    const bench = await workbench(t);
    const next = random(3);
    const large = () =>
      tensor(
        'BF16',
        [300, 333],
        Array.from({ length: 99900 }, () => next() - 0.5),
      );
    const one = () => ({
      big: large(),
      small: tensor('F32', [5], [1, 2, 3, 4, 5]),
      scalar: tensor('F32', [], [next()]),
    });
    await bench.model('a', one());
    await bench.model('b', one());
    const recipe = {
      merge_method: 'linear',
      models: [
        { model: 'a', parameters: { weight: 0.1 } },
        { model: 'b', parameters: { weight: 0.7 } },
      ],
    };
    const bytes = async (options: MergeOptions) => {
      const result = await bench.run(recipe, options);
      const all = await Promise.all(
        [...result.tensors.values()].map(async (info) => [info.name, await readTensor(info)]),
      );
      return new Map(all as [string, Uint8Array][]);
    };
    const expected = await bytes({ workers: 1 });
    for (const options of [{ workers: 3 }, { workers: 2, bufferMemory: 1 }, { maxShardSize: 1000 }]) {
      const actual = await bytes(options);
      for (const [name, data] of expected) assert.deepEqual(actual.get(name), data, name);
    }
  });

  test('integers are copied when they are the same everywhere', async (t) => {
    const bench = await workbench(t);
    const ids = tensor('I64', [4], [0, 1, 2, 3]);
    await bench.model('a', { w: tensor('BF16', [2], [1, 2]), ids });
    await bench.model('b', { w: tensor('BF16', [2], [3, 4]), ids });
    const recipe = {
      merge_method: 'linear',
      models: [{ model: 'a' }, { model: 'b' }],
      parameters: { weight: 1 },
      dtype: 'float16',
    };
    const result = await bench.run(recipe);
    assert.deepEqual(await values(result, 'ids'), [0, 1, 2, 3]);
    assert.deepEqual(await values(result, 'w'), [2, 3]);
    await bench.model('b', { w: tensor('BF16', [2], [3, 4]), ids: tensor('I64', [4], [0, 1, 2, 4]) });
    await assert.rejects(bench.run(recipe), /ids holds integers that differ/);
  });

  test('a tied model lends its embedding for the output projection, and the result is untied', async (t) => {
    const bench = await workbench(t);
    const [tied, untied] = [llamaTensors(1, { tied: true }), llamaTensors(2)];
    await bench.model('tied', tied, { config: llamaConfig({ tied: true }) });
    await bench.model('untied', untied);
    const recipe = (...names: string[]) => ({
      merge_method: 'linear',
      models: names.map((model) => ({ model })),
      parameters: { weight: 1 },
    });
    const embedding = stored(tied, 'model.embed_tokens.weight');
    const expected = rounded('BF16', linear([embedding, stored(untied, 'lm_head.weight')], [1, 1]));
    for (const order of [
      ['tied', 'untied'],
      ['untied', 'tied'],
    ] as const) {
      const result = await bench.run(recipe(...order));
      assert.deepEqual(await values(result, 'lm_head.weight'), expected);
      assert.equal(result.config.tie_word_embeddings, false);
    }
    await bench.model('tied-2', tied, { config: llamaConfig({ tied: true }) });
    const both = await bench.run(recipe('tied', 'tied-2'));
    assert.equal(both.tensors.has('lm_head.weight'), false);
    assert.equal(both.config.tie_word_embeddings, true);
  });

  test('buffers that loaders compute themselves need not be everywhere', async (t) => {
    const bench = await workbench(t);
    const frequencies = { 'model.layers.0.self_attn.rotary_emb.inv_freq': tensor('F32', [2], [1, 0.5]) };
    await bench.model('a', { ...llamaTensors(1), ...frequencies });
    await bench.model('b', llamaTensors(2));
    const models = [{ model: 'a' }, { model: 'b' }];
    const result = await bench.run({ merge_method: 'linear', models, parameters: { weight: 1 } });
    assert.deepEqual([...result.tensors.keys()].sort(), Object.keys(llamaTensors(2)).sort());
  });
});

describe('the folder of the result', () => {
  test('holds weights in shards with their index, the donor’s files, the recipe and a card', async (t) => {
    const bench = await workbench(t);
    const files = {
      'tokenizer.json': '{"model":{"type":"BPE"}}',
      'tokenizer_config.json': '{}',
      'generation_config.json': '{"a": 1}',
      'training_args.bin': 'no',
    };
    const config = { ...llamaConfig(), unknown_key: { kept: [1, 2] } };
    await bench.model('base', llamaTensors(1), { config, files });
    await bench.model('a', llamaTensors(2), { config, files: { 'tokenizer.json': 'other' } });
    const recipe = {
      merge_method: 'task_arithmetic',
      base_model: 'base',
      models: [{ model: 'a', parameters: { weight: 1 } }],
      dtype: 'float32',
    };
    const result = await bench.run(recipe, { maxShardSize: 9000 });
    assert(result.files.length > 1);
    const shards = result.files.map((file) => file.slice(bench.out.length + 1));
    assert.deepEqual(
      (await readdir(bench.out)).sort(),
      [
        ...shards,
        'README.md',
        'config.json',
        'generation_config.json',
        'mergekit_config.yml',
        'model.safetensors.index.json',
        'tokenizer.json',
        'tokenizer_config.json',
      ].sort(),
    );
    assert.deepEqual(result.config, { ...config, torch_dtype: 'float32' });
    assert.equal(await readFile(join(bench.out, 'tokenizer.json'), 'utf8'), files['tokenizer.json']);
    const recipeText = await readFile(join(bench.folder, 'recipe.yml'), 'utf8');
    assert.equal(await readFile(join(bench.out, 'mergekit_config.yml'), 'utf8'), recipeText);
    const card = await readFile(join(bench.out, 'README.md'), 'utf8');
    assert(card.startsWith('---\n'));
    assert(card.includes(recipeText.trimEnd()) && card.includes('library_name: transformers'));
    const index = JSON.parse(await readFile(join(bench.out, 'model.safetensors.index.json'), 'utf8'));
    const names = Object.keys(index.weight_map);
    assert.deepEqual(names, [...names].sort());
    assert.equal(names[0], 'lm_head.weight');
  });

  test('what merge and dry run say is what happened, and progress ends at its total', async (t) => {
    const bench = await workbench(t);
    await bench.model('a', llamaTensors(1));
    await bench.model('b', llamaTensors(2));
    const file = join(bench.folder, 'recipe.yml');
    const models = [{ model: 'a' }, { model: 'b' }];
    await writeFile(
      file,
      stringify({ merge_method: 'linear', models, parameters: { weight: 1 }, colour: 'red' }),
    );
    const planned = await dryRun(file, bench.out);
    assert.deepEqual((await readdir(bench.folder)).sort(), ['a', 'b', 'recipe.yml']);
    const progress: number[] = [];
    let total = 0;
    const done = await merge(file, bench.out, {
      onProgress: (at) => {
        assert.equal(at.unit, 'bytes');
        progress.push(at.done);
        total = at.total;
      },
    });
    const written = (await readFile(join(bench.out, 'model.safetensors'))).length;
    const parameters = Object.values(llamaTensors(1)).reduce((sum, { data }) => sum + data.length / 2, 0);
    assert.equal(done.bytesWritten, written);
    assert.equal(done.bytesRead, parameters * 2 * 2);
    assert.equal(done.parameters, parameters);
    assert.equal(done.tensors, 21);
    assert(done.seconds > 0 && done.peakRssBytes > 1e7);
    assert.deepEqual(done.warnings, [`${file}:7: unknown key colour is ignored`]);
    for (const key of ['tensors', 'parameters', 'bytesRead', 'bytesWritten', 'warnings'] as const) {
      assert.deepEqual(planned[key], done[key], key);
    }
    assert(planned.diskNeeded >= written && planned.diskFree > 0 && planned.estimatedSeconds > 0);
    assert.deepEqual(
      progress,
      [...progress].sort((x, y) => x - y),
    );
    assert.equal(progress.at(-1), total);
    assert.equal(total, parameters * 2 * 3);
  });

  test('an earlier result is replaced', async (t) => {
    const bench = await workbench(t);
    await bench.model('a', llamaTensors(1));
    const recipe = (weight: number) => ({
      merge_method: 'linear',
      models: [{ model: 'a' }],
      parameters: { weight, normalize: false },
    });
    await bench.run(recipe(1), { maxShardSize: 5000 });
    const result = await bench.run(recipe(2));
    assert.deepEqual(
      result.files.map((file) => file.slice(bench.out.length + 1)),
      ['model.safetensors'],
    );
    assert.equal((await readdir(bench.out)).filter((name) => name.endsWith('.safetensors')).length, 1);
    assert.deepEqual(
      await values(result, 'model.norm.weight'),
      stored(llamaTensors(1), 'model.norm.weight').map((x) => 2 * x),
    );
  });

  test('an empty folder and a new folder in a new folder are filled', async (t) => {
    const bench = await workbench(t);
    await bench.model('a', llamaTensors(1));
    await mkdir(bench.out);
    const recipe = { merge_method: 'linear', models: [{ model: 'a' }], parameters: { weight: 1 } };
    await bench.run(recipe);
    await merge(join(bench.folder, 'recipe.yml'), join(bench.folder, 'deep/er/out'));
    await openCheckpoint(join(bench.folder, 'deep/er/out'));
  });
});
