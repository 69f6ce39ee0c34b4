import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { UserError } from '../../../src/base/index.ts';
import { executePlan } from '../../../src/merge/execute.ts';
import { planMerge, readRecipe } from '../../../src/merge/index.ts';
import { layOutMemory } from '../../../src/merge/memory.ts';
import { layerOf } from '../../../src/merge/tensors.ts';
import { llamaConfig, llamaTensors, tensor, writeCheckpoint } from '../../support/checkpoints.ts';
import { temporaryFolder } from '../../support/temporary.ts';

test('layers are recognised in the names of all families', () => {
  assert.deepEqual(layerOf('model.layers.10.self_attn.q_proj.weight'), { stack: 'model.layers.', index: 10 });
  assert.deepEqual(layerOf('model.layers.3.mlp.experts.7.w1.weight'), { stack: 'model.layers.', index: 3 });
  assert.deepEqual(layerOf('h.0.ln_1.weight'), { stack: 'h.', index: 0 });
  assert.deepEqual(layerOf('encoder.block.2.layer.0.SelfAttention.q.weight'), {
    stack: 'encoder.block.',
    index: 2,
  });
  assert.deepEqual(layerOf('0.weight'), { stack: '', index: 0 });
  for (const name of ['lm_head.weight', 'shared.weight', 'model.norm.weight', 'conv2.1', 'block1.weight']) {
    assert.equal(layerOf(name), undefined, name);
  }
});

describe('planning', () => {
  test('each stack of layers has its own gradient; one layer alone lies at its end', async (t) => {
    const folder = await temporaryFolder(t);
    const names = [
      ...[0, 1, 2, 3, 4].map((i) => `encoder.block.${i}.w`),
      ...[0, 1].map((i) => `decoder.block.${i}.w`),
      'single.0.w',
      'shared.weight',
    ];
    const tensors = Object.fromEntries(names.map((name) => [name, tensor('F32', [1], [1])]));
    await writeCheckpoint(join(folder, 'a'), { config: {}, tensors });
    const recipe = join(folder, 'r.yml');
    await writeFile(recipe, 'merge_method: linear\nmodels: [{model: a, parameters: {weight: [1, 2]}}]\n');
    const plan = await planMerge(await readRecipe(recipe));
    const weights = Object.fromEntries(plan.tensors.map(({ name, values }) => [name, values.weight]));
    assert.deepEqual(weights, {
      'decoder.block.0.w': [1],
      'decoder.block.1.w': [2],
      'encoder.block.0.w': [1],
      'encoder.block.1.w': [1.25],
      'encoder.block.2.w': [1.5],
      'encoder.block.3.w': [1.75],
      'encoder.block.4.w': [2],
      'shared.weight': [1],
      'single.0.w': [2],
    });
  });

  test('a model is looked up beside the recipe first, then in the working directory', async (t) => {
    const folder = await temporaryFolder(t);
    const [recipes, work] = [join(folder, 'recipes'), join(folder, 'work')];
    await mkdir(recipes);
    const model = { config: llamaConfig(), tensors: llamaTensors(1) };
    await writeCheckpoint(join(work, 'm'), model);
    await writeCheckpoint(join(work, 'odd+name@x'), model);
    const recipe = join(recipes, 'r.yml');
    await writeFile(
      recipe,
      'merge_method: linear\nmodels: [{model: m}, {model: odd+name@x}]\nparameters: {weight: 1}\n',
    );
    const before = process.cwd();
    const folders = async () => {
      process.chdir(work);
      try {
        return (await planMerge(await readRecipe(recipe))).inputs.map((input) => input.checkpoint.folder);
      } finally {
        process.chdir(before);
      }
    };
    assert.deepEqual(await folders(), [join(work, 'm'), join(work, 'odd+name@x')]);
    await writeCheckpoint(join(recipes, 'm'), model);
    assert.deepEqual(await folders(), [join(recipes, 'm'), join(work, 'odd+name@x')]);
  });
});

test('a worker that crashes ends the merge with its stack in the cause', async (t) => {
  const folder = await temporaryFolder(t);
  await writeCheckpoint(join(folder, 'a'), { config: llamaConfig(), tensors: llamaTensors(1) });
  const recipe = join(folder, 'r.yml');
  await writeFile(recipe, 'merge_method: linear\nmodels: [{model: a}]\nparameters: {weight: 1}\n');
  const plan = await planMerge(await readRecipe(recipe));
  const broken = { ...plan, method: { ...plan.method, name: 'gone' } };
  const out = join(folder, 'out');
  await mkdir(out);
  await assert.rejects(
    executePlan(broken, out, { workers: 2, layout: layOutMemory(plan.tensors, 2, 2 ** 24) }),
    (error: unknown) => {
      assert(error instanceof UserError);
      assert.equal(error.kind, 'work');
      assert.match(error.message, /worker of the merge ended unexpectedly/);
      assert.match((error.cause as Error).stack ?? '', /There is no method gone/);
      return true;
    },
  );
});
