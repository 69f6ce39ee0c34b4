import assert from 'node:assert/strict';
import { mkdir, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { UserError } from '../../../src/base/index.ts';
import { inspectCheckpoint, openCheckpoint, readTensor } from '../../../src/checkpoint/index.ts';
import {
  llamaConfig,
  llamaTensors,
  safetensors,
  tensor,
  writeCheckpoint,
} from '../../support/checkpoints.ts';
import { temporaryFolder } from '../../support/temporary.ts';

async function refusal(work: Promise<unknown>): Promise<UserError> {
  const error = await work.then(
    () => assert.fail('nothing was refused'),
    (reason: unknown) => reason,
  );
  assert(error instanceof UserError, String(error));
  assert.equal(error.kind, 'usage');
  return error;
}

describe('opening a checkpoint', () => {
  test('one file and shards give the same tensors', async (t) => {
    const folder = await temporaryFolder(t);
    const model = { config: llamaConfig(), tensors: llamaTensors(1) };
    const whole = await openCheckpoint(await writeCheckpoint(join(folder, 'whole'), model));
    const sharded = await openCheckpoint(
      await writeCheckpoint(join(folder, 'sharded'), { ...model, shards: 3 }),
    );
    assert.equal(sharded.files.length, 3);
    assert.deepEqual([...sharded.tensors.keys()].sort(), [...whole.tensors.keys()].sort());
    for (const [name, info] of whole.tensors) {
      const other = sharded.tensors.get(name);
      assert(other);
      assert.deepEqual(await readTensor(other), await readTensor(info));
    }
    assert.deepEqual(whole.config, model.config);
  });

  test('a folder that does not exist, and a file in its place', async (t) => {
    const folder = await temporaryFolder(t);
    const missing = await refusal(openCheckpoint(join(folder, 'nothing')));
    assert.match(missing.message, /no such file or folder/);
    assert.equal(missing.place.file, join(folder, 'nothing'));
    await writeFile(join(folder, 'file'), '');
    assert.match((await refusal(openCheckpoint(join(folder, 'file')))).message, /is a file, not a folder/);
  });

  const lacking: Record<string, [files: string[], says: RegExp]> = {
    'no weights at all': [['config.json', 'tokenizer.json'], /no model\.safetensors/],
    'only pickles': [['config.json', 'pytorch_model.bin'], /pytorch_model\.bin is a Python pickle/],
    'only a GGUF file': [['config.json', 'model.Q4_K_M.gguf'], /GGUF/],
    'shards without an index': [
      ['config.json', 'model-00001-of-00002.safetensors'],
      /neither model\.safetensors nor/,
    ],
    'an adapter': [['adapter_config.json', 'adapter_model.safetensors'], /an adapter, not a whole model/],
    'an empty folder': [[], /no model\.safetensors/],
    'no config.json': [['model.safetensors'], /no config\.json/],
  };
  for (const [what, [files, says]] of Object.entries(lacking)) {
    test(`${what} is refused with what is there instead`, async (t) => {
      const folder = await temporaryFolder(t);
      for (const name of files) await writeFile(join(folder, name), '{}');
      const error = await refusal(openCheckpoint(folder));
      assert.match(error.message, says);
      assert.equal(error.place.file, folder);
      assert(error.remedy);
    });
  }

  test('a config.json that is broken is named with its line', async (t) => {
    const folder = await writeCheckpoint(await temporaryFolder(t), {
      config: {},
      tensors: { a: tensor('F32', [1], [1]) },
    });
    await writeFile(join(folder, 'config.json'), '{\n  "a": 1,\n  "b": \n}\n');
    const error = await refusal(openCheckpoint(folder));
    assert.equal(error.place.file, join(folder, 'config.json'));
    assert.equal(error.place.line, 4);
  });

  test('an index that lies is refused', async (t) => {
    const folder = await writeCheckpoint(await temporaryFolder(t), {
      config: llamaConfig(),
      tensors: llamaTensors(1),
      shards: 2,
    });
    const index = join(folder, 'model.safetensors.index.json');
    const map = (entries: Record<string, unknown>) =>
      writeFile(index, JSON.stringify({ weight_map: entries }));

    await map({ nowhere: 'model-1.safetensors' });
    const absent = await refusal(openCheckpoint(folder));
    assert.match(absent.message, /nowhere is in model-1\.safetensors, but it is not there/);
    assert.equal(absent.place.file, index);

    for (const outside of [
      '../model-1.safetensors',
      '/etc/passwd',
      'a/b.safetensors',
      'a\\b.safetensors',
      '..',
    ]) {
      await map({ 'model.norm.weight': outside });
      assert.match((await refusal(openCheckpoint(folder))).message, /no file beside it/, outside);
    }
    await map({ 'model.norm.weight': 3 });
    assert.match((await refusal(openCheckpoint(folder))).message, /weight_map/);
    await map({});
    assert.match((await refusal(openCheckpoint(folder))).message, /lists no tensor/);
    await writeFile(index, 'not json');
    assert.match((await refusal(openCheckpoint(folder))).message, /not valid JSON: invalid symbol/);
  });

  test('a missing or truncated shard is named', async (t) => {
    const folder = await writeCheckpoint(await temporaryFolder(t), {
      config: llamaConfig(),
      tensors: llamaTensors(1),
      shards: 2,
    });
    const shard = join(folder, 'model-2.safetensors');
    await truncate(shard, 2000);
    const short = await refusal(openCheckpoint(folder));
    assert.match(short.message, /truncated/);
    assert.equal(short.place.file, shard);
    await rm(shard);
    const gone = await refusal(openCheckpoint(folder));
    assert.match(gone.message, /shard model-2\.safetensors is missing/);
    assert.equal(gone.place.file, shard);
  });
});

describe('inspecting a checkpoint', () => {
  test('counts parameters by type and names architecture, tokenizer and context', async (t) => {
    const folder = await writeCheckpoint(await temporaryFolder(t), {
      config: llamaConfig(),
      tensors: { ...llamaTensors(1), buffer: tensor('F32', [3], [1, 2, 3]) },
      files: { 'tokenizer.json': JSON.stringify({ model: { type: 'BPE' } }) },
    });
    const inspection = await inspectCheckpoint(folder);
    // 2 · 32·16 embeddings, 17 norms of 16, and per layer 2·16·16 + 2·8·16 + 3·16·32, two layers.
    const bf16 = 2 * 32 * 16 + 5 * 16 + 2 * (2 * 256 + 2 * 128 + 3 * 512);
    assert.deepEqual(inspection, {
      architecture: 'LlamaForCausalLM',
      parameters: bf16 + 3,
      dtypes: { BF16: bf16, F32: 3 },
      bytes: bf16 * 2 + 12,
      tensors: 22,
      tokenizer: 'BPE',
      contextTokens: 128,
    });
  });

  test('an adapter is told from a model', async (t) => {
    const folder = await temporaryFolder(t);
    const adapter = { peft_type: 'LORA', r: 8, base_model_name_or_path: 'org/base' };
    await writeFile(join(folder, 'adapter_config.json'), JSON.stringify(adapter));
    const weights = safetensors({ 'x.lora_A.weight': tensor('F32', [8, 4], Array(32).fill(0)) });
    await writeFile(join(folder, 'adapter_model.safetensors'), weights);
    const inspection = await inspectCheckpoint(folder);
    assert.deepEqual(inspection.adapter, { type: 'LORA', rank: 8, base: 'org/base' });
    assert.equal(inspection.architecture, 'LORA adapter');
    assert.equal(inspection.parameters, 32);
    assert.equal(inspection.tokenizer, null);
  });

  test('a folder without weights is refused', async (t) => {
    const folder = join(await temporaryFolder(t), 'x');
    await mkdir(folder);
    await refusal(inspectCheckpoint(folder));
  });
});
