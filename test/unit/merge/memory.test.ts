import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  blockElements,
  lanesPerWorker,
  layOutMemory,
  Tiles,
  workerMemory,
} from '../../../src/merge/memory.ts';
import type { TensorTask } from '../../../src/merge/plan.ts';

function task(elements: number, sources: number, dtype: 'BF16' | 'F32'): TensorTask {
  return {
    name: `t${elements}`,
    elements,
    kind: 'merge',
    sources: Array.from({ length: sources }, (_, file) => ({ file, begin: 0, dtype })),
    base: -1,
    values: {},
    rounding: 'F32',
    output: { shard: 0, begin: 0, dtype },
  };
}

describe('memory of the workers', () => {
  test('no two buffers overlap, all are aligned and inside', () => {
    for (const [elements, sources, workers, budget] of [
      [1, 1, 1, 2 ** 28],
      [3_000_000, 4, 3, 2 ** 26],
      [40_000_000, 12, 2, 2 ** 28],
      [40_000_000, 40, 8, 1],
    ] as const) {
      const layout = layOutMemory([task(elements, sources, 'F32')], workers, budget);
      const ranges: [number, number][] = [];
      for (let worker = 0; worker < workers; worker++) {
        const { blocks, lanes } = workerMemory(layout, worker);
        assert.equal(lanes.length, lanesPerWorker);
        for (const block of blocks) ranges.push([block, block + blockElements * 4]);
        for (const lane of lanes) {
          assert.equal(lane.sources.length, sources);
          for (const start of [...lane.sources, lane.result])
            ranges.push([start, start + layout.tileElements * 4]);
        }
      }
      ranges.sort((a, b) => a[0] - b[0]);
      let end = 65536;
      for (const [from, to] of ranges) {
        assert(from >= end && from % 16 === 0, `${from} after ${end}`);
        end = to;
      }
      assert(end <= layout.pages * 65536);
    }
  });

  test('the budget bounds it, whatever the size and number of the models', () => {
    const budget = 64 * 2 ** 20;
    for (const elements of [1e5, 1e7, 1e9]) {
      for (const sources of [1, 3, 20]) {
        const layout = layOutMemory([task(elements, sources, 'BF16'), task(5, 2, 'BF16')], 2, budget);
        assert(
          2 * layout.workerBytes <= budget,
          `${elements} elements of ${sources} models take ${layout.workerBytes}`,
        );
        assert.equal(layout.tileElements % blockElements, 0);
      }
    }
    // With hardly any budget the smallest tiles remain.
    assert.equal(layOutMemory([task(1e9, 3, 'F32')], 4, 1).tileElements, blockElements);
  });
});

test('tiles cover every element of every tensor once, in order', () => {
  const sizes = [10, 0, 25, 1, 0, 8];
  const tiles = new Tiles(
    sizes.map((size) => task(size, 1, 'F32')),
    8,
  );
  const covered = sizes.map(() => 0);
  for (let number = 0; number < tiles.count; number++) {
    const { tensor, start, count } = tiles.at(number);
    assert.equal(start, covered[tensor]);
    assert(count > 0 && count <= 8);
    covered[tensor] = start + count;
  }
  assert.deepEqual(covered, sizes);
});
