import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { test } from 'node:test';
import { UserError } from '../../../src/base/index.ts';
import {
  describeSubmissions,
  detectSubmission,
  detectSubmissions,
  isDockerfileName,
} from '../../../src/submission/index.ts';
import { folderWith } from './folder.ts';

const server = 'from fastapi import FastAPI\napp = FastAPI()\n\n@app.post("/process")\ndef process(): ...\n';
const septemberMain = 'def all_merge_handlers():\n    return {"llama_avg": LlamaAvg}\n';
const julyMain = 'discovered = entry_points(group="llm_merging.merging.Merges")\n';

/** Paths (relative), kinds and kit generations of what is found. */
async function found(files: Record<string, string>) {
  const root = await folderWith(files);
  const submissions = await detectSubmissions(root);
  return submissions.map(({ folder, kind, kit }) => [relative(root, folder), kind, ...(kit ? [kit] : [])]);
}

test('one piece of evidence suffices', async () => {
  for (const name of [
    'Dockerfile',
    'dockerfile',
    'Dockerfile.train',
    'serve.Dockerfile',
    'Dockerfile_eval',
  ]) {
    assert.deepEqual(await found({ [name]: 'FROM python:3.11\n' }), [['', 'efficiency']], name);
  }
  assert.deepEqual(await found({ 'server.py': server }), [['', 'efficiency']]);
  assert.deepEqual(await found({ 'api.py': 'router.add_api_route("/process", f)' }), [['', 'efficiency']]);
  assert.deepEqual(await found({ 'llm_merging/main.py': septemberMain }), [['', 'merging', 'september']]);
  assert.deepEqual(await found({ 'llm_merging/main.py': julyMain }), [['', 'merging', 'july']]);
  assert.deepEqual(await found({ 'llm_merging/merging/Mine.py': '' }), [['', 'merging']]);
  assert.deepEqual(await found({ 'setup.py': '', 'merging/Mine.py': '' }), [['', 'merging']]);
  assert.deepEqual(await found({ 'recipe.yml': 'merge_method: ties\n' }), [['', 'merging']]);
  const result = { 'merged/mergekit_config.yml': 'merge_method: ties\n', 'merged/model.safetensors': '' };
  assert.deepEqual(await found({ 'recipe.yml': 'merge_method: ties\n', ...result }), [['', 'merging']]);
  assert.deepEqual(await found(result), []);
  assert.deepEqual(await found({ 'submission.yaml': 'kind: efficiency\n' }), [['', 'efficiency']]);
});

test('what is no evidence finds nothing', async () => {
  assert.deepEqual(await found({}), []);
  assert.deepEqual(
    await found({
      'Dockerfile.md': 'about it',
      '.dockerignore': '*',
      'main.py': 'print("/process")',
      'config.yml': 'name: x\n',
      'node_modules/x/Dockerfile': 'FROM x',
      '.git/Dockerfile': 'FROM x',
      '.venv/lib/server.py': server,
      'models/base/Dockerfile': 'FROM x',
    }),
    [],
  );
  assert.equal(isDockerfileName('mydockerfiles.py'), false);
});

test('the starter repository’s submissions are all found, the repository itself is none', async () => {
  const files = {
    'README.md': '',
    'sample-submissions/lit-gpt/Dockerfile': 'FROM x',
    'sample-submissions/lit-gpt/main.py': server,
    'sample-submissions/llama_recipes/Dockerfile': 'FROM x',
    'sample-submissions/llama_recipes/Dockerfile.train': 'FROM x',
    'toy-submission/main.py': server,
  };
  assert.deepEqual(await found(files), [
    ['sample-submissions/lit-gpt', 'efficiency'],
    ['sample-submissions/llama_recipes', 'efficiency'],
    ['toy-submission', 'efficiency'],
  ]);
});

test('a folder inside a submission is one of its own only with a server and a Dockerfile, or a kit', async () => {
  const outer = { Dockerfile: 'FROM x', 'src/main.py': server, 'docker/Dockerfile.train': 'FROM x' };
  assert.deepEqual(await found(outer), [['', 'efficiency']]);
  assert.deepEqual(await found({ ...outer, 'second/Dockerfile': 'FROM x', 'second/app.py': server }), [
    ['', 'efficiency'],
    ['second', 'efficiency'],
  ]);
  // The inside of a kit is no second submission.
  assert.deepEqual(
    await found({
      'llm_merging/main.py': julyMain,
      'llm_merging/setup.py': '',
      'llm_merging/merging/X.py': '',
    }),
    [['', 'merging', 'july']],
  );
});

test('a kit counts more than a Dockerfile, a Dockerfile more than a recipe', async () => {
  assert.deepEqual(await found({ 'llm_merging/main.py': septemberMain, Dockerfile: 'FROM x' }), [
    ['', 'merging', 'september'],
  ]);
  assert.deepEqual(await found({ 'config.yaml': 'merge_method: linear', Dockerfile: 'FROM x' }), [
    ['', 'efficiency'],
  ]);
});

test('submission.yaml overrides name, kind and track', async () => {
  const root = await folderWith({
    Dockerfile: 'FROM x',
    'submission.yaml': 'name: "Ours: the second"\ntrack: llm-efficiency-2023-a100\n',
  });
  const submission = await detectSubmission(root);
  assert.equal(submission.name, 'Ours: the second');
  assert.equal(submission.track.id, 'llm-efficiency-2023-a100');
  await writeFile(join(root, 'submission.yaml'), 'kind: merging\n');
  assert.equal((await detectSubmission(root)).kind, 'merging');
});

test('a broken submission.yaml is named with its line; among several it hides no other', async () => {
  const broken = { 'submission.yaml': 'name: x\nkind: cooking\n', Dockerfile: 'FROM x' };
  const root = await folderWith(broken);
  await assert.rejects(detectSubmissions(root), (error: UserError) => {
    assert.equal(error.kind, 'usage');
    assert.equal(error.place.line, 2);
    assert.match(error.message, /kind/);
    return true;
  });
  const several = await folderWith({
    'a/Dockerfile': 'FROM x',
    'a/submission.yaml': 'nme: x\n',
    'b/Dockerfile': 'FROM x',
  });
  const [a, b] = await detectSubmissions(several);
  assert.match(a?.problem ?? '', /submission\.yaml:1.*nme/s);
  assert.equal(b?.problem, undefined);
});

test('a track of the other kind and an unknown track are refused', async () => {
  const wrong = await folderWith({ 'submission.yaml': 'kind: efficiency\ntrack: llm-merging-2024\n' });
  await assert.rejects(detectSubmissions(wrong), /is for merging, the submission for efficiency/);
  const unknown = await folderWith({ 'submission.yaml': 'track: nowhere-2030\n' });
  await assert.rejects(detectSubmissions(unknown), /no track "nowhere-2030"/);
});

test('a folder that is none says what was looked for', async () => {
  const root = await folderWith({ 'README.md': '' });
  assert.throws(
    () => describeSubmissions(root, []),
    (error: UserError) => error.kind === 'usage' && /Dockerfile.*llm_merging/s.test(error.remedy ?? ''),
  );
  await assert.rejects(detectSubmissions(join(root, 'missing')), UserError);
  await assert.rejects(detectSubmissions(join(root, 'README.md')), UserError);
});

test('several submissions below a folder are no single one', async () => {
  const root = await folderWith({ 'a/Dockerfile': 'FROM x', 'b/Dockerfile': 'FROM x' });
  await assert.rejects(detectSubmission(root), /holds 2 submissions/);
});

test('3,000 files are looked through within a second of processor time', async () => {
  const files: Record<string, string> = { Dockerfile: 'FROM x' };
  for (let index = 0; index < 3000; index++) files[`data-${index % 30}/part-${index}.txt`] = '';
  const root = await folderWith(files);
  const before = process.cpuUsage();
  assert.equal((await detectSubmissions(root)).length, 1);
  const { user, system } = process.cpuUsage(before);
  assert.ok(user + system < 1e6, `${(user + system) / 1e6} s`);
});
