import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { freshFolder, openWorkbench } from '../hosts/workbench.ts';

test('a window without a folder offers the demo', async (t) => {
  const workbench = await openWorkbench(t);
  await workbench.openContainer('Submission Studio');
  await workbench.view('Submission').getByText('Open Demo Submission').waitFor();
  await workbench.screenshot('state-no-folder');
});

test('an untrusted folder is neither read nor run', async (t) => {
  const folder = await freshFolder(t);
  await writeFile(join(folder, 'submission.yaml'), 'name: stranger\nkind: merging\n');
  await writeFile(join(folder, 'recipe.yml'), 'merge_method: linear\nmodels: []\n');
  const workbench = await openWorkbench(t, { folder, trusted: false });
  await workbench.openContainer('Submission Studio');
  await workbench.view('Submission').getByText('This folder is not trusted').waitFor();
  await workbench.page.waitForTimeout(1000);
  assert.equal(await workbench.treeItem('stranger').count(), 0);
  const offered = (await workbench.commandsFor('Submission: ')).filter((label) =>
    label.startsWith('Submission:'),
  );
  for (const label of ['Merge', 'Start Server', 'Evaluate…', 'Package Submission', 'Inspect Checkpoint…']) {
    assert.ok(!offered.includes(`Submission: ${label}`), `${label} is offered`);
  }
  assert.ok(offered.includes('Submission: Create Submission…'), offered.join());
  await workbench.screenshot('state-untrusted');
});

test('three Enters create a submission, and a step back asks anew', async (t) => {
  const folder = await freshFolder(t);
  await writeFile(join(folder, 'notes.md'), 'mine\n');
  const workbench = await openWorkbench(t, { folder });
  await workbench.runCommand('Submission: Create Submission…');
  await workbench.quickInput.getByPlaceholder('Which track is it for?').waitFor();
  await workbench.screenshot('create-1-track');
  await workbench.pick(/^LLM Efficiency 2023.*A100/);
  await workbench.quickInput.getByText('Name of the submission').first().waitFor();
  await workbench.screenshot('create-2-name');
  await workbench.quickInput.getByRole('button', { name: 'Back' }).click();
  await workbench.quickInput.getByPlaceholder('Which track is it for?').waitFor();
  await workbench.pick();
  await workbench.quickInput.getByText('Name of the submission').first().waitFor();
  await workbench.answer();
  await workbench.quickInput.getByPlaceholder('Where is it created?').waitFor();
  await workbench.screenshot('create-3-place');
  await workbench.pick();
  await workbench.treeItem(/^Scaffold/).waitFor();
  await workbench.screenshot('create-4-done');
});

test('of several submissions one is chosen, and remembered', async (t) => {
  const folder = await freshFolder(t);
  for (const name of ['alpha', 'beta']) {
    await mkdir(join(folder, name));
    await writeFile(join(folder, name, 'submission.yaml'), `name: ${name}\nkind: merging\n`);
  }
  const workbench = await openWorkbench(t, { folder });
  await workbench.openContainer('Submission Studio');
  await workbench.treeItem('alpha').waitFor();
  await workbench.clickInlineAction(workbench.treeItem('beta'), 'Switch Submission…');
  const stages = workbench.treeItem(/^beta/).and(workbench.page.locator('[aria-expanded="true"]'));
  await stages.waitFor();
  await workbench.screenshot('state-several');
  await workbench.statusBarItem('beta').click();
  await workbench.pick(/^alpha/);
  await workbench
    .treeItem(/^alpha/)
    .and(workbench.page.locator('[aria-expanded="true"]'))
    .waitFor();
  await workbench.clickInlineAction(workbench.treeItem('beta'), 'Switch Submission…');
  await stages.waitFor();
  // In a browser the workbench writes its state every five seconds.
  await workbench.page.waitForTimeout(7000);
  await workbench.reload();
  await workbench.openContainer('Submission Studio');
  await stages.waitFor();
});

test('a failure says what, where and why, and opens the file at its line', async (t) => {
  const folder = await freshFolder(t);
  await writeFile(join(folder, 'submission.yaml'), 'name: mine\nkind: merging\n');
  await writeFile(join(folder, 'recipe.yml'), 'models: []\nmerge_method: tiesss\n');
  const workbench = await openWorkbench(t, { folder });
  await workbench.openContainer('Submission Studio');
  await workbench.clickInlineAction(workbench.treeItem(/^Merge/), 'Merge');
  const text = await workbench.notification('recipe.yml:2');
  assert.match(text, /^Merge: .*recipe\.yml:2.*"tiesss" is no merge method/);
  // The notification fades in.
  await workbench.page.waitForTimeout(500);
  await workbench.screenshot('failure');
  await workbench.answerNotification('recipe.yml:2', 'Open File');
  await workbench.tab('recipe.yml').waitFor();
  await workbench.page.locator('.statusbar-item', { hasText: 'Ln 2, Col 1' }).waitFor();
});

test('the walkthrough stands and its first step completes by itself', async (t) => {
  const folder = await freshFolder(t);
  // Wide enough for the pictures of the steps.
  const workbench = await openWorkbench(t, { folder, viewport: { width: 1600, height: 900 } });
  await workbench.runCommand('Welcome: Open Walkthrough...');
  await workbench.pick(/Get a submission ready/);
  await workbench.page.getByText('Create a submission').first().waitFor();
  await workbench.screenshot('walkthrough-1');
  await workbench.page.locator('.getting-started-step').getByText('Open Demo Submission').first().click();
  await workbench.page
    .locator('.getting-started-step .codicon-getting-started-step-checked, .getting-started-step .complete')
    .first()
    .waitFor({ timeout: 30_000 });
  await workbench.screenshot('walkthrough-2');
});
