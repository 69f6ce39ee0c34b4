import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { UserError } from '../../../src/base/index.ts';
import { runTask } from '../../../src/ui/tasks/client.ts';
import { packError, unpackError } from '../../../src/ui/tasks/protocol.ts';

describe('tasks in a thread of their own', () => {
  it('give their result back', async () => {
    const checkpoint = new URL('../../../media/demo/base', import.meta.url).pathname;
    const { inspection, tracks } = await runTask('inspect', { checkpoint });
    assert.equal(inspection.architecture, 'LlamaForCausalLM');
    assert.ok(tracks.length > 0);
  });

  it('fail with the place and remedy of what was thrown', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'studio-task-'));
    try {
      const recipe = join(folder, 'recipe.yml');
      await writeFile(recipe, 'models: []\nmerge_method: no-such-method\n');
      await assert.rejects(runTask('merge', { recipe, out: join(folder, 'out') }), (error) => {
        assert.ok(error instanceof UserError);
        assert.equal(error.kind, 'usage');
        assert.deepEqual([error.place.file, error.place.line], [recipe, 2]);
        return true;
      });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  it('that are cancelled before they start never start', async () => {
    const signal = AbortSignal.abort();
    await assert.rejects(runTask('checkEndpoint', { url: 'http://127.0.0.1:9' }, { signal }), {
      kind: 'cancelled',
    });
  });
});

describe('errors on their way between threads', () => {
  it('keep what a person needs', () => {
    const place = { file: '/a.yml', line: 3, field: 'x' };
    const sent = new UserError('It failed', {
      kind: 'work',
      place,
      remedy: 'Do this.',
      cause: new Error('why'),
    });
    const received = unpackError(structuredClone(packError(sent)));
    assert.ok(received instanceof UserError);
    assert.deepEqual(
      [received.message, received.kind, received.place, received.remedy],
      ['It failed', 'work', place, 'Do this.'],
    );
    assert.match((received.cause as Error).stack ?? '', /caused by: Error: why/);
  });

  it('a defect stays a defect', () => {
    const received = unpackError(packError(new TypeError('x is not a function')));
    assert.ok(!(received instanceof UserError));
    assert.equal(received.message, 'x is not a function');
  });
});
