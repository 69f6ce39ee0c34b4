import assert from 'node:assert/strict';
import { mkdir, rename, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { UserError } from '../../../src/base/index.ts';
import { Decoder } from '../../../src/model/decoder.ts';
import {
  type LlamaOptions,
  llamaConfig,
  llamaTensors,
  type TestTensors,
  tensor,
  writeCheckpoint,
} from '../../support/checkpoints.ts';
import { temporaryFolder } from '../../support/temporary.ts';

async function write(t: TestContext, tensors: TestTensors, options: LlamaOptions = {}, shards = 1) {
  const folder = join(await temporaryFolder(t), 'model');
  return writeCheckpoint(folder, { config: llamaConfig(options), tensors, shards });
}

/** Log-probabilities of the token after 1, 2, 3. */
async function logprobsOf(folder: string): Promise<number[]> {
  const decoder = await Decoder.open(folder);
  try {
    const answer = await decoder.run([1, 2, 3], { rows: [2], candidates: 1, all: true });
    return [...(answer?.all ?? [])];
  } finally {
    await decoder.close();
  }
}

function names(field: string, message: RegExp) {
  return (error: unknown) => {
    assert.ok(error instanceof UserError);
    assert.equal(error.kind, 'usage');
    assert.equal(error.place.field, field);
    assert.match(error.message, message);
    return true;
  };
}

describe('the tensors of a checkpoint', () => {
  test('one that is missing is named', async (t) => {
    const { 'model.layers.1.mlp.up_proj.weight': _, ...tensors } = llamaTensors(1);
    const folder = await write(t, tensors);
    await assert.rejects(
      Decoder.open(folder),
      names('model.layers.1.mlp.up_proj.weight', /lacks the tensor/),
    );
  });

  test('one that the model would not use is named', async (t) => {
    const extra = { 'model.layers.0.self_attn.q_proj.bias': tensor('F32', [16], Array(16).fill(0)) };
    const folder = await write(t, { ...llamaTensors(1), ...extra });
    await assert.rejects(
      Decoder.open(folder),
      names('model.layers.0.self_attn.q_proj.bias', /does not have/),
    );
  });

  test('one of another shape is named with both shapes', async (t) => {
    const folder = await write(t, {
      ...llamaTensors(1),
      'model.norm.weight': tensor('BF16', [8], Array(8).fill(1)),
    });
    await assert.rejects(Decoder.open(folder), names('model.norm.weight', /\[8\].*\[16\]/));
  });

  test('one of a dtype that cannot be computed with is named', async (t) => {
    const norm = tensor('I64', [16], Array(16).fill(1));
    const folder = await write(t, { ...llamaTensors(1), 'model.norm.weight': norm });
    await assert.rejects(Decoder.open(folder), names('model.norm.weight', /I64/));
  });

  test('what follows from the configuration is no surprise', async (t) => {
    const tied = { tied: true } as const;
    const tensors = llamaTensors(1, tied);
    const folder = await write(t, tensors, tied);
    const old = await write(
      t,
      {
        ...tensors,
        // transformers takes the embedding in its place, whatever is in here.
        'lm_head.weight': tensor('BF16', [32, 16], Array(512).fill(3)),
        'model.layers.0.self_attn.rotary_emb.inv_freq': tensor('F32', [4], [1, 0.1, 0.01, 0.001]),
      },
      tied,
    );
    assert.deepEqual(await logprobsOf(old), await logprobsOf(folder));
  });

  test('shards, links and one file give the same numbers', async (t) => {
    const tensors = llamaTensors(1);
    const whole = await logprobsOf(await write(t, tensors));
    assert.ok(Math.abs(whole.reduce((sum, logprob) => sum + Math.exp(logprob), 0) - 1) < 1e-5);
    assert.deepEqual(await logprobsOf(await write(t, tensors, {}, 3)), whole);
    // As in the Hub's cache: the files lie elsewhere under other names.
    const linked = await write(t, tensors, {}, 3);
    const blobs = join(linked, '..', 'blobs');
    await mkdir(blobs);
    for (const shard of [1, 2, 3]) {
      const file = join(linked, `model-${shard}.safetensors`);
      await rename(file, join(blobs, `${shard}`));
      await symlink(join(blobs, `${shard}`), file);
    }
    assert.deepEqual(await logprobsOf(linked), whole);
  });

  test('f32, f16 and bf16 of the same values give the same numbers', async (t) => {
    // Values that all three hold exactly.
    const coarse = (dtype: 'F32' | 'F16' | 'BF16') =>
      Object.fromEntries(
        Object.entries(llamaTensors(1)).map(([name, { shape, data }]) => [
          name,
          tensor(
            dtype,
            shape,
            Array.from({ length: data.length / 2 }, (_, i) => ((i * 7) % 16) / 32 - 0.25),
          ),
        ]),
      );
    const reference = await logprobsOf(await write(t, coarse('F32')));
    for (const dtype of ['F16', 'BF16'] as const) {
      const logprobs = await logprobsOf(await write(t, coarse(dtype)));
      for (const [index, value] of logprobs.entries())
        assert.ok(Math.abs(value - (reference[index] ?? 0)) < 1e-5);
    }
  });
});
