import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { KvCache, type LayerCache } from '../../../src/model/kv-cache.ts';
import { sampleToken, seededRandom } from '../../../src/model/sampling.ts';
import { StopFinder } from '../../../src/model/stop.ts';
import { random } from '../../support/checkpoints.ts';

describe('StopFinder', () => {
  test('finds what a search in the whole text finds, however the bytes come', () => {
    const next = random(1);
    const pick = (count: number) => Math.floor(next() * count);
    const alphabet = ['a', 'b', '\n', 'é', '🦊'];
    const word = (length: number) => Array.from({ length }, () => alphabet[pick(5)]).join('');
    for (let round = 0; round < 3000; round++) {
      const text = Buffer.from(word(pick(20)));
      const stops = Array.from({ length: 1 + pick(3) }, () => word(1 + pick(3)));
      const finder = new StopFinder(stops);
      let seen = 0;
      let hit: ReturnType<StopFinder['push']>;
      while (seen < text.length && !hit) {
        const end = Math.min(text.length, seen + 1 + pick(4));
        hit = finder.push(text.subarray(seen, end));
        seen = end;
      }
      const found = stops.map((stop) => text.subarray(0, seen).indexOf(stop)).filter((at) => at >= 0);
      assert.equal(hit?.offset, found.length > 0 ? Math.min(...found) : undefined);
      if (!hit) for (const stop of stops) assert.equal(text.indexOf(stop), -1);
    }
  });

  test('nothing to look for, or only the empty text, never stops', () => {
    assert.equal(new StopFinder([]).push(Buffer.from('abc')), undefined);
    assert.equal(new StopFinder(['']).push(Buffer.from('abc')), undefined);
  });
});

describe('sampleToken', () => {
  const logprobs = Float32Array.from([0.5, 0.3, 0.15, 0.05], Math.log);

  function shares(temperature: number, topP: number): number[] {
    const counts = [0, 0, 0, 0];
    const next = seededRandom(3);
    for (let i = 0; i < 20000; i++) {
      const token = sampleToken(logprobs, temperature, topP, next());
      counts[token] = (counts[token] ?? 0) + 1;
    }
    return counts.map((count) => count / 20000);
  }

  function assertShares(actual: number[], expected: number[]): void {
    for (const [index, share] of expected.entries()) {
      assert.ok(Math.abs((actual[index] ?? 0) - share) < 0.015, `${actual} for ${expected}`);
      if (share === 0) assert.equal(actual[index], 0);
    }
  }

  test("draws by the model's probabilities", () => assertShares(shares(1, 1), [0.5, 0.3, 0.15, 0.05]));

  test('a temperature of 0.5 squares them', () => {
    const squares = [0.25, 0.09, 0.0225, 0.0025];
    const sum = squares.reduce((a, b) => a + b);
    assertShares(
      shares(0.5, 1),
      squares.map((square) => square / sum),
    );
  });

  test('top_p keeps the fewest tokens that reach it', () => {
    assertShares(shares(1, 0.7), [5 / 8, 3 / 8, 0, 0]);
    assertShares(shares(1, 0.81), [50 / 95, 30 / 95, 15 / 95, 0]);
    assertShares(shares(1, 0), [1, 0, 0, 0]);
  });

  test('a very low temperature takes the best, without overflow', () => {
    assert.equal(sampleToken(logprobs, 1e-5, 1, 0.999999), 0);
    assert.equal(sampleToken(Float32Array.of(-1e4, -3, -2), 1e-4, 1, 0.999999), 2);
  });

  test('the same seed gives the same numbers, another seed others', () => {
    const numbers = (seed: number) => Array.from({ length: 5 }, seededRandom(seed));
    assert.deepEqual(numbers(42), numbers(42));
    assert.notDeepEqual(numbers(42), numbers(43));
    assert.ok(numbers(-1).every((number) => number >= 0 && number < 1));
  });
});

describe('KvCache', () => {
  const [heads, size] = [2, 3];

  /** What the graph would return for tokens: each number tells token, head and index. */
  function fresh(tokens: readonly number[]): LayerCache {
    const keys = tokens.flatMap((token) => Array.from({ length: heads * size }, (_, i) => token * 100 + i));
    return { keys: Float32Array.from(keys), values: Float32Array.from(keys, (value) => -value) };
  }

  function add(cache: KvCache, tokens: readonly number[]): void {
    cache.reserve(cache.tokens.length + tokens.length);
    cache.append(tokens, [fresh(tokens)]);
  }

  function assertHolds(cache: KvCache, tokens: readonly number[]): void {
    assert.deepEqual(cache.tokens, tokens);
    const { keys, values } = cache.layers[0] as LayerCache;
    for (const [position, token] of tokens.entries()) {
      for (let head = 0; head < heads; head++) {
        const at = (head * cache.capacity + position) * size;
        const expected = [0, 1, 2].map((index) => token * 100 + head * size + index);
        assert.deepEqual([...keys.subarray(at, at + size)], expected);
        assert.deepEqual(
          [...values.subarray(at, at + size)],
          expected.map((value) => -value),
        );
      }
    }
  }

  test('holds what was put in, head by head, when it grows and when it is cut back', () => {
    const cache = new KvCache(1, heads, size, 1000);
    const tokens = Array.from({ length: 150 }, (_, i) => i + 1);
    add(cache, tokens.slice(0, 3));
    for (let at = 3; at < tokens.length; at += 7) add(cache, tokens.slice(at, at + 7));
    assertHolds(cache, tokens);
    cache.cut(10);
    assertHolds(cache, tokens.slice(0, 10));
    add(cache, [900, 901]);
    assertHolds(cache, [...tokens.slice(0, 10), 900, 901]);
  });

  test('tells how much a new prompt shares with what is settled in it', () => {
    const cache = new KvCache(1, heads, size, 1000);
    add(cache, [5, 6, 7]);
    assert.equal(cache.shared([5, 6, 7]), 0);
    cache.settle();
    add(cache, [8]);
    assert.equal(cache.shared([5, 6, 8, 7]), 2);
    assert.equal(cache.shared([5, 6, 7, 8, 9]), 3);
    assert.equal(cache.shared([6]), 0);
    assert.equal(cache.shared([]), 0);
    cache.cut(2);
    assert.equal(cache.shared([5, 6, 7]), 2);
  });
});
