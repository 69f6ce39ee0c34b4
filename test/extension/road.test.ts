import assert from 'node:assert/strict';
import { readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'mocha';
import * as vscode from 'vscode';
import { collectErrors, eventually, run, workspaceFolder } from './support.ts';

interface Evaluated {
  readonly runs: { readonly name: string; readonly instances: number; readonly failed: number }[];
}

describe('the whole way on the demo, by commands', () => {
  const folder = join(workspaceFolder(), 'demo-submission');
  const record = async () => JSON.parse(await readFile(join(folder, '.submission/state.json'), 'utf8'));
  let url = '';

  before(() => rm(folder, { recursive: true, force: true }));
  after(async () => {
    await run('stopServer', { folder });
    await rm(folder, { recursive: true, force: true });
  });

  it('scaffolds', async () => {
    await run('openDemo', { folder });
    await stat(join(folder, 'recipe.yml'));
    await stat(join(folder, 'models/base/model.safetensors'));
  });

  it('opening it once more leaves it as it is', async () => {
    const errors = await collectErrors(() => run('openDemo', { folder }));
    assert.deepEqual(errors, []);
  });

  it('merges', async () => {
    const { tensors, out } = await run<{ tensors: number; out: string }>('merge', { folder });
    assert.ok(tensors > 0);
    assert.equal(out, join(folder, 'out/merged'));
    await stat(join(out, 'model.safetensors'));
    const { merge } = await record();
    assert.match(merge.summary, /^task_arithmetic/);
  });

  it('serves what was merged', async () => {
    ({ url } = await run<{ url: string }>('startServer', { folder, port: 0 }));
    const response = await fetch(`${url}/health`);
    assert.equal(response.status, 200);
  });

  it('refuses a second server and names the first', async () => {
    const [error] = await collectErrors(() => run('startServer', { folder, port: 0 }));
    assert.ok(error?.text.includes(url), error?.text);
  });

  it('checks the endpoint', async () => {
    const report = await run<{ pass: boolean; checks: { id: string; pass: boolean; detail: string }[] }>(
      'checkEndpoint',
      { folder },
    );
    assert.deepEqual(
      report.checks.filter(({ pass }) => !pass),
      [],
    );
  });

  it('sends the sample prompts and writes run directories', async () => {
    const { runs } = await run<Evaluated>('sendPrompts', { folder, name: 'merged', maxEvalInstances: 5 });
    assert.ok(runs.length > 1);
    assert.equal(
      runs.reduce((sum, { failed }) => sum + failed, 0),
      0,
    );
    const { evaluate } = await record();
    assert.equal(evaluate.name, 'merged');
    await stat(join(folder, 'benchmark_output/runs/sample'));
  });

  it('shows the scores in one panel, however often they are asked for', async () => {
    await run('showScores', { folder });
    await run('showScores', { folder });
    const panels = () =>
      vscode.window.tabGroups.all
        .flatMap(({ tabs }) => tabs)
        .filter(
          ({ input }) =>
            input instanceof vscode.TabInputWebview && input.viewType.endsWith('submissionStudio.scores'),
        );
    await eventually('the Scores panel', () => panels()[0]);
    assert.equal(panels().length, 1);
  });

  it('sets a baseline, and takes it away again', async () => {
    await run('setBaseline', { folder, run: 'merged' });
    assert.equal((await record()).baseline, 'merged');
    await run('setBaseline', { folder, run: 'merged' });
    assert.equal((await record()).baseline, undefined);
    const [error] = await collectErrors(() => run('setBaseline', { folder, run: 'nobody' }));
    assert.match(error?.text ?? '', /no run "nobody".*merged/);
  });

  it('inspects a checkpoint', async () => {
    const checkpoint = join(folder, 'models/base');
    const { inspection } = await run<{ inspection: { architecture: string } }>('inspectCheckpoint', {
      checkpoint,
    });
    assert.equal(inspection.architecture, 'LlamaForCausalLM');
  });

  it('makes a recipe that can be merged', async () => {
    const models = ['models/expert-1', 'models/expert-2'].map((path) => join(folder, path));
    const { file } = await run<{ file: string }>('newRecipe', { folder, method: 'linear', models });
    assert.equal(vscode.window.activeTextEditor?.document.uri.fsPath, file);
    const out = join(folder, 'out/linear');
    const made = await run<{ tensors: number }>('merge', { folder, recipe: file, out });
    assert.ok(made.tensors > 0);
  });

  it('checks the submission', async () => {
    const report = await run<{ findings: { file: string }[]; summary: { error: number } }>(
      'checkSubmission',
      {
        folder,
      },
    );
    assert.equal(report.summary.error, 0, JSON.stringify(report.findings));
  });

  it('packages', async () => {
    const { file, entries } = await run<{ file: string; entries: { path: string }[] }>('packageSubmission', {
      folder,
    });
    assert.ok((await stat(file)).size > 0);
    assert.ok(entries.every(({ path }) => !path.endsWith('.safetensors')));
    assert.ok((await record()).package);
  });

  it('stops the server', async () => {
    await run('stopServer', { folder });
    await assert.rejects(fetch(`${url}/health`));
  });
});
