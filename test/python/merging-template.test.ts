import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { openCheckpoint, readSafetensorsHeader, readTensor } from '../../src/checkpoint/index.ts';
import { merge } from '../../src/merge/index.ts';
import { scaffold } from '../../src/submission/index.ts';
import { folderWith } from '../unit/submission/folder.ts';

const python = process.env.SUBMISSION_STUDIO_PEERS;
const skip = python === undefined && 'SUBMISSION_STUDIO_PEERS names no Python';
const run = promisify(execFile);

test('the method of the template merges as the native engine does, predicts and saves', {
  skip,
}, async () => {
  const folder = join(await folderWith({}), 'LLM-Merging');
  await scaffold({ kind: 'merging', folder, demo: true });
  await mkdir(join(folder, 'data/validation'), { recursive: true });
  await writeFile(
    join(folder, 'data/validation/small.csv'),
    'eval_type,id,input,answer_choices,target\n' +
      'generation,a,"Reverse: owujew\nAnswer:",,wejuwo\n' +
      `multiple_choice,b,"Reverse: ab\nAnswer:","[' ba', "" it's""]",0\n`,
  );
  const env = { ...process.env, PYTHONPATH: '.', HF_HUB_OFFLINE: '1', PYTHONDONTWRITEBYTECODE: '1' };
  const { stdout } = await run(python ?? '', ['llm_merging/main.py', '-m', 'recipe_merge'], {
    cwd: folder,
    env,
  });
  assert.match(stdout, /small\.csv/);

  const predictions = (await readFile(join(folder, 'output/small.csv'), 'utf8')).replaceAll('\r\n', '\n');
  assert.match(predictions, /^id,prediction,dummy_field\na,/);
  assert.match(predictions, /\nb,[01],0\n$/);

  const written = join(folder, 'output/recipe_merge/model.safetensors');
  await copyFile(join(folder, 'output/recipe_merge/safetensor.pt'), written);
  const ours = join(folder, 'out/merged');
  await merge(join(folder, 'recipe.yml'), ours, {});
  const native = await openCheckpoint(ours);
  const { tensors } = await readSafetensorsHeader(written);
  assert.equal(tensors.length, native.tensors.size);
  for (const tensor of tensors) {
    const twin = native.tensors.get(tensor.name);
    assert.ok(twin, tensor.name);
    assert.deepEqual(Buffer.from(await readTensor(tensor)), Buffer.from(await readTensor(twin)), tensor.name);
  }
});
