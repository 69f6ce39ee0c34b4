import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, describe, it } from 'node:test';
import { mergeOutput, readFolderContents, sha256Of } from '../../../src/ui/submissions/folder.ts';

const root = await mkdtemp(join(tmpdir(), 'studio-folder-'));
after(() => rm(root, { recursive: true, force: true }));

async function write(path: string, text = ''): Promise<void> {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), text);
}

const recipe = 'merge_method: linear\nmodels: []\n';
await write('recipe.yml', recipe);
await write('recipes/ties.yaml', `# first\n${recipe}`);
await write('other.yml', 'name: x\nnote: |\n  merge_method: no\n');
await write('submission.yaml', 'kind: merging\n');
await write('models/base/config.json', '{}');
await write('models/base/model.safetensors');
await write('out/merged/config.json', '{}');
await write('out/merged/model.safetensors');
await write('out/merged/mergekit_config.yml', recipe);
await write('adapters/a/adapter_config.json', '{}');
await write('notes/config.json', '{}');
await write('.venv/lib/recipe.yml', recipe);
await write('benchmark_output/runs/recipe.yml', recipe);

describe('what a submission’s folder holds', () => {
  it('finds recipes by their content, those nearest first, and none inside checkpoints', async () => {
    const { recipes } = await readFolderContents(root);
    assert.deepEqual(recipes, [join(root, 'recipe.yml'), join(root, 'recipes/ties.yaml')]);
  });

  it('finds checkpoints and adapters by their files', async () => {
    const { checkpoints } = await readFolderContents(root);
    const expected = ['adapters/a', 'models/base', 'out/merged'].map((path) => join(root, path));
    assert.deepEqual(checkpoints, expected);
  });

  it('a folder that is not there holds nothing', async () => {
    const contents = await readFolderContents(join(root, 'missing'));
    assert.deepEqual(contents, { recipes: [], checkpoints: [] });
  });

  it('the hash of a file that is gone is unknown', async () => {
    assert.equal(await sha256Of(join(root, 'missing.yml')), undefined);
    assert.match((await sha256Of(join(root, 'recipe.yml'))) ?? '', /^[0-9a-f]{64}$/);
  });

  it('a merge goes to a folder of the recipe’s name', () => {
    assert.equal(mergeOutput('/s', '/s/recipe.yml'), join('/s', 'out', 'merged'));
    assert.equal(mergeOutput('/s', '/s/recipes/ties-0.5.yaml'), join('/s', 'out', 'ties-0.5'));
  });
});
