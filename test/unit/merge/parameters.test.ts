import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { methodsByName } from '../../../src/merge/index.ts';
import { sumRowF32 } from '../../../src/merge/methods/method.ts';
import {
  MissingParameter,
  resolveParameter,
  resolveParameters,
} from '../../../src/merge/recipe/parameters.ts';
import type { Setting } from '../../../src/merge/recipe/schema.ts';

const number = { type: 'number', scope: 'inputs', description: '' } as const;
const flag = { type: 'boolean', scope: 'method', description: '' } as const;

function settingValue(
  setting: Setting,
  tensor: string,
  position: number,
  spec: typeof number | typeof flag = number,
) {
  return resolveParameter('weight', spec, [{ weight: setting }], { tensor, position });
}

describe('one setting', () => {
  test('a scalar counts everywhere; texts and booleans become numbers', () => {
    assert.equal(settingValue(0.3, 'x', 0.7), 0.3);
    assert.equal(settingValue('1e-3', 'x', 0), 0.001);
    assert.equal(settingValue(true, 'x', 0), 1);
    assert.equal(settingValue('off', 'x', 0, flag), false);
    assert.equal(settingValue(1, 'x', 0, flag), true);
  });

  test('a gradient is linear between its points', () => {
    const gradient = [0, 1, 0];
    for (const [position, wanted] of [
      [0, 0],
      [0.25, 0.5],
      [0.5, 1],
      [0.75, 0.5],
      [1, 0],
    ] as const) {
      assert.equal(settingValue(gradient, 'x', position), wanted);
    }
    assert.equal(settingValue([0.7], 'x', 1), 0.7);
    // The formula in doubles, as the reference evaluates it.
    assert.equal(settingValue([0.1, 0.9], 'x', 1 / 3), (1 - 1 / 3) * 0.1 + (1 / 3) * 0.9);
    assert.equal(settingValue([true, false], 'x', 0.9, flag), true);
    assert.equal(settingValue([true, false], 'x', 1, flag), false);
  });

  test('the first filter that is part of the name wins; none matching falls through', () => {
    const setting = [
      { filter: 'mlp', value: [0, 1] },
      { filter: 'self_attn', value: 0.2 },
      { filter: '*', value: 0.3 },
    ];
    assert.equal(settingValue(setting, 'model.layers.1.mlp.up_proj.weight', 0.5), 0.5);
    assert.equal(settingValue(setting, 'model.layers.1.self_attn.q_proj.weight', 0.5), 0.2);
    assert.equal(settingValue(setting, 'model.norm.weight', 0), 0.3);
    assert.equal(settingValue({ filter: 'mlp', value: 4 }, 'mlp', 0), 4);
    assert.equal(settingValue({ filter: 'm.p', value: 4 }, 'mlp', 0), undefined);
    assert.equal(settingValue([], 'mlp', 0), undefined);
    assert.equal(settingValue([{ value: 9 }], 'mlp', 0), 9);
    const levels = [{ weight: [{ filter: 'mlp', value: 1 }] }, { weight: 2 }];
    assert.equal(resolveParameter('weight', number, levels, { tensor: 'norm', position: 0 }), 2);
    assert.equal(
      resolveParameter('weight', { ...number, default: 7 }, [], { tensor: 'norm', position: 0 }),
      7,
    );
  });
});

describe('all parameters of a tensor', () => {
  const linear = methodsByName.get('linear');
  const taskArithmetic = methodsByName.get('task_arithmetic');
  assert(linear && taskArithmetic);
  const asked = { tensor: 'out', position: 0 };

  test('the input is asked before the recipe, by its own tensor name', () => {
    const sources = [
      { isBase: false, tensor: 'a.mlp', parameters: { weight: [{ filter: 'a.', value: 5 }] } },
      { isBase: false, tensor: 'b.mlp', parameters: { weight: [{ filter: 'a.', value: 5 }] } },
    ];
    assert.deepEqual(resolveParameters(linear, sources, [{ weight: 1, normalize: false }], asked), {
      weight: [5, 1],
      normalize: false,
    });
  });

  test('linear asks the base for a weight, task arithmetic does not', () => {
    const sources = [
      { isBase: false, tensor: 'x', parameters: { weight: 0.5 } },
      { isBase: true, tensor: 'x', parameters: undefined },
    ];
    assert.throws(
      () => resolveParameters(linear, sources, [undefined], asked),
      (error: unknown) =>
        error instanceof MissingParameter && error.source === 1 && error.parameter === 'weight',
    );
    assert.deepEqual(resolveParameters(linear, sources, [{ weight: 2 }], asked).weight, [0.5, 2]);
    assert.deepEqual(resolveParameters(taskArithmetic, sources, [{ lambda: '0.5' }], asked), {
      weight: [0.5],
      normalize: false,
      lambda: 0.5,
    });
  });

  test("a name like an object's own function is no parameter that is set", () => {
    assert.equal(resolveParameter('toString', number, [{}], asked), undefined);
  });
});

test('weights are summed in the order of torch', () => {
  const f = Math.fround;
  assert.equal(sumRowF32([0.1, 0.2, 0.3]), f(f(f(0.1) + f(0.2)) + f(0.3)));
  const six = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6].map(f) as [number, number, number, number, number, number];
  const first = f(f(six[0] + six[4]) + six[5]);
  assert.equal(sumRowF32(six), f(f(f(first + six[1]) + six[2]) + six[3]));
  assert.equal(sumRowF32(Array(19).fill(0.5)), 9.5);
  assert.equal(sumRowF32([]), 0);
});
