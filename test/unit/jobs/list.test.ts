import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { UserError } from '../../../src/base/index.ts';
import { JobList } from '../../../src/jobs/index.ts';

const merge = { kind: 'merge', title: 'Merge' } as const;

test('a job is listed with its progress while it runs and with its outcome afterwards', async () => {
  const jobs = new JobList();
  const seen: string[] = [];
  const stop = jobs.onChange(() => {
    const [job] = jobs.list();
    seen.push(`${job?.state} ${job?.progress?.done ?? '-'}`);
  });
  const value = await jobs.run(merge, async ({ onProgress }) => {
    onProgress({ done: 1, total: 2, unit: 'tensors' });
    return { value: 42, outcome: '2 tensors' };
  });
  assert.equal(value, 42);
  assert.deepEqual(seen, ['running -', 'running 1', 'done 1']);
  assert.equal(jobs.list()[0]?.outcome, '2 tensors');
  stop();
  await jobs.run(merge, async () => ({ value: 0, outcome: '' }));
  assert.equal(seen.length, 3, 'a listener that was removed hears nothing');
});

test('a failed job keeps the sentence for people and rejects with the error itself', async () => {
  const jobs = new JobList();
  const error = new UserError('The port is taken', { place: { field: '--port' }, remedy: 'Choose another' });
  await assert.rejects(
    jobs.run(merge, () => Promise.reject(error)),
    error,
  );
  assert.equal(jobs.list()[0]?.state, 'failed');
  assert.equal(jobs.list()[0]?.error, '--port: The port is taken. Choose another');
});

test('cancel aborts the work, passes through "stopping", and whatever the work throws then counts as cancelled', async () => {
  const jobs = new JobList();
  const states: (string | undefined)[] = [];
  jobs.onChange(() => states.push(jobs.list()[0]?.state));
  const run = jobs.run(merge, async ({ signal }) => {
    await delay(60_000, undefined, { signal });
    return { value: 0, outcome: '' };
  });
  jobs.cancel(jobs.list()[0]?.id ?? '');
  await assert.rejects(run, (error) => error instanceof UserError && error.kind === 'cancelled');
  assert.deepEqual(states, ['running', 'stopping', 'cancelled']);
});

test('running jobs come first, ended ones are kept up to a bound', async () => {
  const jobs = new JobList();
  let finish = () => {};
  const gate = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const long = jobs.run({ ...merge, title: 'long' }, async () => {
    await gate;
    return { value: 0, outcome: '' };
  });
  for (let index = 0; index < 25; index += 1) {
    await jobs.run({ ...merge, title: String(index) }, async () => ({ value: 0, outcome: '' }));
  }
  const titles = jobs.list().map((job) => job.title);
  assert.equal(titles[0], 'long');
  assert.equal(titles[1], '24');
  assert.equal(titles.length, 21);
  finish();
  await long;
});
