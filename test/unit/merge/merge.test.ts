import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readTensor } from '../../../src/checkpoint/index.ts';
import type { MergeOptions } from '../../../src/merge/index.ts';
import {
  decode,
  encode,
  llamaConfig,
  llamaTensors,
  random,
  type TestDtype,
  tensor,
} from '../../support/checkpoints.ts';
import { mergeFolder, stored, values } from '../../support/merges.ts';

const { fround } = Math;

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
      const bench = await mergeFolder(t);
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
    const bench = await mergeFolder(t);
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
    const bench = await mergeFolder(t);
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
    const bench = await mergeFolder(t);
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
    const bench = await mergeFolder(t);
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
    const bench = await mergeFolder(t);
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
    const bench = await mergeFolder(t);
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
    const bench = await mergeFolder(t);
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
    const bench = await mergeFolder(t);
    const frequencies = { 'model.layers.0.self_attn.rotary_emb.inv_freq': tensor('F32', [2], [1, 0.5]) };
    await bench.model('a', { ...llamaTensors(1), ...frequencies });
    await bench.model('b', llamaTensors(2));
    const models = [{ model: 'a' }, { model: 'b' }];
    const result = await bench.run({ merge_method: 'linear', models, parameters: { weight: 1 } });
    assert.deepEqual([...result.tensors.keys()].sort(), Object.keys(llamaTensors(2)).sort());
  });
});
