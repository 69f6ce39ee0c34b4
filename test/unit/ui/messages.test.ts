import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fromViewSchema, toViewSchema } from '../../../src/ui/scores/messages.ts';

describe('messages of the Scores panel', () => {
  it('are taken when they are whole', () => {
    assert.ok(fromViewSchema.safeParse({ kind: 'export', format: 'csv' }).success);
    const empty = { kind: 'scores', submission: 's', table: null, compared: [], leaderboard: null };
    assert.ok(toViewSchema.safeParse(empty).success);
  });

  it('are refused when a kind is unknown or a field is wrong', () => {
    const wrong = [
      undefined,
      'ready',
      { kind: 'run', command: 'rm' },
      { kind: 'export', format: 'exe' },
      { kind: 'compare', runs: 'base' },
      { kind: 'baseline' },
    ];
    for (const message of wrong)
      assert.ok(!fromViewSchema.safeParse(message).success, JSON.stringify(message));
  });
});
