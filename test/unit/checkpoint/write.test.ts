import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import {
  carryOver,
  editJsonText,
  openCheckpoint,
  planShards,
  writeShards,
} from '../../../src/checkpoint/index.ts';
import { llamaConfig } from '../../support/checkpoints.ts';
import { temporaryFolder } from '../../support/temporary.ts';

const spec = (name: string, elements: number) => ({ name, dtype: 'U8' as const, shape: [elements] });

describe('planning shards', () => {
  const names = (limit: number, sizes: number[]) =>
    planShards(
      sizes.map((size, i) => spec(`t${i}`, size)),
      limit,
    ).shards.map(({ tensors }) => tensors.map(({ name }) => name));

  test('a tensor opens a new file when the current one would grow too large', () => {
    assert.deepEqual(names(10, [4, 6, 1, 9, 1]), [['t0', 't1'], ['t2', 't3'], ['t4']]);
    assert.deepEqual(names(10, [20, 20]), [['t0'], ['t1']]);
    assert.deepEqual(names(10, [0, 20]), [['t0', 't1']]);
    assert.deepEqual(names(0, [20, 20, 5]), [['t0', 't1', 't2']]);
  });

  test('files and index are named as mergekit and transformers name them', () => {
    const one = planShards([spec('a', 1)], 10);
    assert.deepEqual(
      one.shards.map(({ name }) => name),
      ['model.safetensors'],
    );
    assert.equal(one.index, undefined);
    const two = planShards([spec('b', 8), spec('a', 8)], 10);
    assert.deepEqual(
      two.shards.map(({ name }) => name),
      ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'],
    );
    assert.deepEqual(JSON.parse(two.index?.text ?? ''), {
      metadata: { total_size: 16 },
      weight_map: { b: 'model-00001-of-00002.safetensors', a: 'model-00002-of-00002.safetensors' },
    });
  });

  test('the planned bytes are the bytes of the files', async (t) => {
    const folder = await temporaryFolder(t);
    const plan = planShards([spec('a', 100), spec('b', 50), spec('empty', 0)], 120);
    await writeFile(join(folder, 'config.json'), '{}');
    await writeShards(folder, plan, async (files) => {
      for (const { shard, handle } of files) {
        for (const { name, begin, end } of shard.tensors) {
          await handle.write(Buffer.alloc(end - begin, name), 0, end - begin, begin);
        }
      }
    });
    const { tensors, files } = await openCheckpoint(folder);
    assert.deepEqual([...tensors.keys()].sort(), ['a', 'b', 'empty']);
    let bytes = 0;
    for (const file of files) bytes += (await readFile(file)).length;
    assert.equal(bytes, plan.bytes);
  });
});

describe('carrying files over', () => {
  test('only the changed keys of config.json change, byte for byte', async (t) => {
    const folder = await temporaryFolder(t);
    const [source, target] = [join(folder, 'a'), join(folder, 'b')];
    await mkdir(source);
    await mkdir(target);
    const config =
      '{\n  "rms_norm_eps": 1e-05,\n  "rope_theta": 10000.0,\n  "torch_dtype": "float32",\n  "x": [1,2]\n}\n';
    await writeFile(join(source, 'config.json'), config);
    await writeFile(join(source, 'tokenizer.json'), '{"é": 1}');
    await writeFile(join(source, 'optimizer.pt'), 'large');
    await carryOver(source, target, { torch_dtype: 'bfloat16' });
    assert.equal(await readFile(join(target, 'config.json'), 'utf8'), config.replace('float32', 'bfloat16'));
    assert.equal(await readFile(join(target, 'tokenizer.json'), 'utf8'), '{"é": 1}');
    await assert.rejects(readFile(join(target, 'optimizer.pt')));
  });

  test('a key that is not there is added, and the rest stays', () => {
    const text = JSON.stringify(llamaConfig(), undefined, 2);
    const edited = editJsonText(text, { added: false, vocab_size: 5 });
    assert.deepEqual(JSON.parse(edited), { ...llamaConfig(), vocab_size: 5, added: false });
    assert.deepEqual(JSON.parse(editJsonText('{}', { a: 1 })), { a: 1 });
  });
});
