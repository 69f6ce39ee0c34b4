import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { UserError } from '../../../src/base/index.ts';
import { readDecoderConfig } from '../../../src/model/config.ts';
import { ropeFrequencies, ropeTables } from '../../../src/model/rope.ts';
import { llamaConfig } from '../../support/checkpoints.ts';

const read = (changes: Record<string, unknown> = {}) =>
  readDecoderConfig('/models/m', { ...llamaConfig(), ...changes });

const refusals: Record<string, [changes: Record<string, unknown>, field: string, message: RegExp]> = {
  'an unknown model type': [{ model_type: 'gpt_neox' }, 'model_type', /"gpt_neox" cannot be run/],
  'no model type': [{ model_type: undefined }, 'model_type', /cannot be run/],
  'a model type like a property of objects': [{ model_type: 'toString' }, 'model_type', /cannot be run/],
  'another head': [
    { architectures: ['LlamaForSequenceClassification'] },
    'architectures',
    /LlamaForSequenceCla/,
  ],
  'quantised weights': [{ quantization_config: { bits: 4 } }, 'quantization_config', /Quantised/],
  'an unknown rope scaling': [{ rope_scaling: { rope_type: 'yarn', factor: 4 } }, 'rope_scaling', /"yarn"/],
  'an unknown rope scaling, by its old key': [
    { rope_scaling: { type: 'dynamic' } },
    'rope_scaling',
    /"dynamic"/,
  ],
  'an unknown rope scaling in the new form': [
    { rope_parameters: { rope_type: 'longrope' } },
    'rope_parameters',
    /"longrope"/,
  ],
  'rope scaling without its factor': [
    { rope_scaling: { type: 'linear' } },
    'rope_scaling.factor',
    /needs factor/,
  ],
  'a partial rotary embedding': [{ partial_rotary_factor: 0.5 }, 'partial_rotary_factor', /partial rotary/],
  'another activation': [{ hidden_act: 'gelu' }, 'hidden_act', /gelu/],
  'heads that cannot be shared': [{ num_key_value_heads: 3 }, 'num_key_value_heads', /2 attention heads/],
  'an odd head size': [{ head_dim: 7 }, 'head_dim', /7/],
  'a missing size': [{ hidden_size: undefined }, 'hidden_size', /hidden_size/],
  'a size that is text': [{ num_hidden_layers: '2' }, 'num_hidden_layers', /num_hidden_layers/],
};

describe('readDecoderConfig', () => {
  for (const [what, [changes, field, message]] of Object.entries(refusals)) {
    test(`refuses ${what} and names the field`, () => {
      assert.throws(
        () => read(changes),
        (error) => {
          assert.ok(error instanceof UserError);
          assert.equal(error.kind, 'usage');
          assert.equal(error.place.field, field);
          assert.match(error.place.file ?? '', /config\.json$/);
          assert.match(error.message, message);
          return true;
        },
      );
    });
  }

  test('fills in what the families leave out', () => {
    const { num_key_value_heads: _, ...llama } = llamaConfig();
    assert.equal(readDecoderConfig('/m', llama).kvHeads, 2);
    const mistral = {
      ...llama,
      num_attention_heads: 8,
      model_type: 'mistral',
      architectures: ['MistralForCausalLM'],
    };
    assert.equal(readDecoderConfig('/m', mistral).kvHeads, 8);
    assert.deepEqual(readDecoderConfig('/m', mistral).windows, [4096, 4096]);
    assert.deepEqual(readDecoderConfig('/m', { ...mistral, sliding_window: null }).windows, [
      undefined,
      undefined,
    ]);
  });

  test("reads Qwen's window by layers", () => {
    const qwen = { ...llamaConfig({ layers: 3 }), model_type: 'qwen2', architectures: ['Qwen2ForCausalLM'] };
    const windows = (changes: object) => readDecoderConfig('/m', { ...qwen, ...changes }).windows;
    assert.deepEqual(windows({ sliding_window: 7 }), [undefined, undefined, undefined]);
    const on = { use_sliding_window: true, sliding_window: 7, max_window_layers: 2 };
    assert.deepEqual(windows(on), [undefined, undefined, 7]);
    const types = ['sliding_attention', 'full_attention', 'sliding_attention'];
    assert.deepEqual(windows({ ...on, layer_types: types }), [7, undefined, 7]);
    assert.throws(() => windows({ ...on, layer_types: ['full_attention'] }), /layer_types lists 1 layers/);
  });
});

describe('rope', () => {
  test('default frequencies fall from 1 to near 1/theta', () => {
    const frequencies = ropeFrequencies({ type: 'default', theta: 10000 }, 8);
    assert.deepEqual(
      [...frequencies].map((value) => Number(value.toPrecision(6))),
      [1, 0.1, 0.01, 0.001],
    );
  });

  test('tables hold the rotation of each position', () => {
    const { cos, sin } = ropeTables(Float32Array.of(1, 0.5), 3);
    assert.equal(cos.length, 6);
    assert.ok(Math.abs((cos[4] ?? 0) - Math.cos(2)) < 1e-7);
    assert.ok(Math.abs((sin[5] ?? 0) - Math.sin(1)) < 1e-7);
  });
});
