import assert from 'node:assert/strict';
import { access, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { UserError } from '../../../src/base/index.ts';
import { inspectCheckpoint } from '../../../src/checkpoint/index.ts';
import { runDoctor } from '../../../src/doctor/index.ts';
import { readRecipe } from '../../../src/merge/index.ts';
import { detectSubmission, type SubmissionKind, scaffold } from '../../../src/submission/index.ts';
import { folderWith } from './folder.ts';

const kinds: readonly SubmissionKind[] = ['merging', 'efficiency'];

test('what init writes is a submission without errors, and names no place of this machine', async () => {
  for (const kind of kinds) {
    for (const demo of [false, true]) {
      const parent = await folderWith({});
      const folder = join(parent, 'my-entry');
      const made = await scaffold({ kind, folder, demo, name: 'It "works": {{track}}' });
      const submission = await detectSubmission(folder);
      assert.equal(submission.kind, kind);
      assert.equal(submission.name, 'It "works": {{track}}');
      assert.equal(submission.track.id, made.track);
      assert.deepEqual(
        (await runDoctor(folder)).findings.filter(({ severity }) => severity === 'error'),
        [],
      );
      for (const file of made.files) {
        const text = await readFile(join(folder, file), 'utf8');
        assert.ok(!text.includes(parent), file);
        if (!/README|submission\.yaml/.test(file))
          assert.ok(!/\{\{\w+\}\}/.test(text), `${file} is not filled in`);
      }
      assert.deepEqual(made.files, [...made.files].sort());
      assert.ok(made.files.includes('.gitignore'));
    }
  }
});

test('the demo brings its checkpoints and what to do with them', async () => {
  const merging = join(await folderWith({}), 'm');
  await scaffold({ kind: 'merging', folder: merging, demo: true });
  const recipe = await readRecipe(join(merging, 'recipe.yml'));
  assert.equal(recipe.document.base_model, 'models/base');
  for (const model of ['base', 'expert-1', 'expert-2']) {
    assert.ok((await inspectCheckpoint(join(merging, 'models', model))).parameters > 0);
  }
  const efficiency = join(await folderWith({}), 'e');
  await scaffold({ kind: 'efficiency', folder: efficiency, demo: true });
  const configuration = await readFile(join(efficiency, 'finetune.yml'), 'utf8');
  for (const key of ['base', 'data', 'output', 'lora', 'learning_rate', 'steps', 'time_budget', 'seed']) {
    assert.match(configuration, new RegExp(`^${key}:`, 'm'));
  }
  await access(join(efficiency, 'models/base/model.safetensors'));
  await access(join(efficiency, 'data/task1.jsonl'));
});

test('a folder that holds something is left as it is', async () => {
  const folder = await folderWith({ 'notes.txt': 'mine' });
  await assert.rejects(
    scaffold({ kind: 'merging', folder }),
    (error: UserError) => error.kind === 'usage' && error.place.file === folder,
  );
  assert.deepEqual(await readdir(folder), ['notes.txt']);
});

test('an empty folder, and one with a fresh repository, is filled in place', async () => {
  const folder = await folderWith({ '.git/HEAD': 'ref: refs/heads/main\n' });
  const { files } = await scaffold({ kind: 'merging', folder });
  assert.ok(!files.some((file) => file.startsWith('.git/')));
  assert.equal(await readFile(join(folder, '.git/HEAD'), 'utf8'), 'ref: refs/heads/main\n');
  assert.deepEqual(
    (await readdir(folder)).filter((name) => name.startsWith('.scaffold')),
    [],
  );
});

test('a wrong track writes nothing', async () => {
  const parent = await folderWith({});
  for (const track of ['nowhere', 'llm-efficiency-2023-4090']) {
    await assert.rejects(scaffold({ kind: 'merging', folder: join(parent, 'x'), track }), UserError);
  }
  assert.deepEqual(await readdir(parent), []);
});

test('a chosen track is written', async () => {
  const folder = join(await folderWith({}), 'x');
  await scaffold({ kind: 'efficiency', folder, track: 'llm-efficiency-2023-a100' });
  assert.equal((await detectSubmission(folder)).track.id, 'llm-efficiency-2023-a100');
});
