import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NumpyRandom, PythonRandom } from '../../../src/helm/python/random.ts';
import { golden } from './golden.ts';

test('Python’s random draws what CPython draws, for numbers and texts as seeds', () => {
  for (const { seed, ...expected } of golden.python_random) {
    const rng = new PythonRandom(seed);
    const repeat = (count: number, draw: () => number) => Array.from({ length: count }, draw);
    const list = (length: number) => Array.from({ length }, (_, i) => i);
    const shuffled = list(10);
    rng.shuffle(shuffled);
    assert.deepEqual(shuffled, expected.shuffle10, `shuffle, seed ${seed}`);
    assert.deepEqual(
      repeat(5, () => rng.randrange(37)),
      expected.randrange37x5,
    );
    assert.deepEqual(
      repeat(3, () => rng.random()),
      expected.random3,
    );
    assert.deepEqual(
      repeat(3, () => rng.choice(list(26))),
      expected.choice_of_26x3,
    );
    assert.deepEqual(
      repeat(5, () => rng.randint(1, 3)),
      expected.randint_1_3x5,
    );
    assert.deepEqual(rng.sample(list(20), 5), expected.sample_20_5);
    assert.equal(rng.uniform(0, 1), expected.uniform01);
  }
});

test('NumPy’s legacy choice without replacement is that of numpy', () => {
  for (const { n, k, idx } of golden.numpy_seed0_choice_noreplace) {
    const items = Array.from({ length: n }, (_, i) => i);
    assert.deepEqual(new NumpyRandom(0).choiceWithoutReplacement(items, k), idx, `${k} of ${n}`);
  }
});

test('a sample cannot be larger than what it is drawn from', () => {
  assert.throws(() => new PythonRandom(0).sample([1, 2], 3), RangeError);
});
