import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { UserError } from '../../../src/base/index.ts';
import {
  readRecord,
  readSubmissionFile,
  updateRecord,
  updateSubmissionFile,
} from '../../../src/submission/index.ts';
import { folderWith } from './folder.ts';

const made = { file: 'x.tar', sha256: 'ab', bytes: 3, at: '2026-11-23T10:00:00.000Z' };

test('a record keeps what other stages wrote', async () => {
  const folder = await folderWith({});
  assert.deepEqual(await readRecord(folder), {});
  await updateRecord(folder, { package: made });
  await updateRecord(folder, { baseline: 'base' });
  assert.deepEqual(await readRecord(folder), { package: made, baseline: 'base' });
  await updateRecord(folder, { baseline: undefined });
  assert.deepEqual(await readRecord(folder), { package: made });
});

test('writers of one moment lose nothing', async () => {
  const folder = await folderWith({});
  await Promise.all([
    updateRecord(folder, { package: made }),
    updateRecord(folder, { baseline: 'base' }),
    updateRecord(folder, {
      evaluate: { out: 'benchmark_output', suite: 'sample', name: 'x', at: made.at, summary: '61' },
    }),
  ]);
  assert.deepEqual(Object.keys(await readRecord(folder)).sort(), ['baseline', 'evaluate', 'package']);
});

test('a record that is none is named; nothing wrong is written', async () => {
  const folder = await folderWith({ '.submission/state.json': '{"package": 3}' });
  await assert.rejects(readRecord(folder), (error: UserError) => /package/.test(error.message));
  const broken = await folderWith({ '.submission/state.json': '{' });
  await assert.rejects(readRecord(broken), (error: UserError) => /state\.json/.test(error.place.file ?? ''));
  const fine = await folderWith({});
  await assert.rejects(updateRecord(fine, { package: { ...made, at: 'yesterday' } }), UserError);
  assert.deepEqual(await readRecord(fine), {});
});

test('choosing a track keeps the comments of submission.yaml', async () => {
  const folder = await folderWith({ 'submission.yaml': '# ours\nname: x # short\n' });
  await updateSubmissionFile(folder, { track: 'llm-merging-2024' });
  assert.equal(
    await readFile(join(folder, 'submission.yaml'), 'utf8'),
    '# ours\nname: x # short\ntrack: llm-merging-2024\n',
  );
  const fresh = await folderWith({});
  await updateSubmissionFile(fresh, { kind: 'merging' });
  assert.deepEqual(await readSubmissionFile(fresh), { kind: 'merging' });
});

test('an alias that names nothing is told as broken YAML of that file', async () => {
  const folder = await folderWith({ 'submission.yaml': 'name: *nobody\nkind: merging\n' });
  await assert.rejects(
    readSubmissionFile(folder),
    (error) =>
      error instanceof UserError &&
      /broken YAML/.test(error.message) &&
      /submission\.yaml$/.test(error.place.file ?? ''),
  );
});
