import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { inOrder } from '../../../src/helm/run/in-order.ts';

test('nothing more starts once the results are no longer taken', async () => {
  const started: number[] = [];
  const work = async (item: number) => {
    started.push(item);
    await sleep(5);
    return item;
  };
  const items = Array.from({ length: 100 }, (_, item) => item);
  await assert.rejects(async () => {
    for await (const _ of inOrder(items, 2, work)) throw new Error('The disk is full');
  }, /disk is full/);
  await sleep(100);
  assert.ok(started.length <= 4, `started ${started.length}`);
});
