import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { stringify } from 'yaml';
import { openCheckpoint } from '../../../src/checkpoint/index.ts';
import { dryRun, merge } from '../../../src/merge/index.ts';
import { llamaConfig, llamaTensors } from '../../support/checkpoints.ts';
import { mergeFolder, stored, values } from '../../support/merges.ts';

describe('the folder of the result', () => {
  test('holds weights in shards with their index, the donor’s files, the recipe and a card', async (t) => {
    const bench = await mergeFolder(t);
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
    const bench = await mergeFolder(t);
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
    const bench = await mergeFolder(t);
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
    const bench = await mergeFolder(t);
    await bench.model('a', llamaTensors(1));
    await mkdir(bench.out);
    const recipe = { merge_method: 'linear', models: [{ model: 'a' }], parameters: { weight: 1 } };
    await bench.run(recipe);
    await merge(join(bench.folder, 'recipe.yml'), join(bench.folder, 'deep/er/out'));
    await openCheckpoint(join(bench.folder, 'deep/er/out'));
  });
});
