import assert from 'node:assert/strict';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { freshFolder, openWorkbench } from '../hosts/workbench.ts';

/** A folder whose servers take a free port: the usual one may be in use on the machine that tests. */
async function folderWithFreePort(t: TestContext): Promise<string> {
  const folder = await freshFolder(t);
  await mkdir(join(folder, '.vscode'));
  const settings = { 'submissionStudio.server.port': 0, 'remote.autoForwardPorts': false };
  await writeFile(join(folder, '.vscode/settings.json'), JSON.stringify(settings));
  return folder;
}

test('a person goes the whole way on the demo with the mouse and three Enters', async (t) => {
  const folder = await folderWithFreePort(t);
  const workbench = await openWorkbench(t, { folder });
  const { page } = workbench;
  const stage = (name: string, text: RegExp) =>
    workbench.treeItem(new RegExp(`^${name}`)).filter({ hasText: text });

  await workbench.openContainer('Submission Studio');
  await workbench.view('Submission').getByText('This folder holds no submission yet.').waitFor();
  await workbench.screenshot('road-1-welcome');

  await page.getByText('open the demo submission', { exact: true }).click();
  await stage('Merge', /not yet/).waitFor();
  await workbench.screenshot('road-2-scaffold');

  await workbench.clickInlineAction(stage('Merge', /not yet/), 'Merge');
  await stage('Merge', /task_arithmetic · 2 models/).waitFor({ timeout: 60_000 });
  await workbench.screenshot('road-3-merge');

  await workbench.clickInlineAction(stage('Serve', /not running/), 'Start Server');
  await stage('Serve', /embedded :\d+/).waitFor({ timeout: 60_000 });
  await workbench.statusBarItem(/:\d+/).waitFor();
  await workbench.screenshot('road-4-serve');

  await workbench.clickInlineAction(stage('Score', /not yet/), 'Send Sample HELM Prompts…');
  await workbench.answer();
  await workbench.screenshot('road-5-prompts-question');
  await workbench.pick('10 of each scenario, for a first look');
  await stage('Score', /mean \d+\.\d/).waitFor({ timeout: 120_000 });
  const scores = workbench.webview();
  await scores.getByRole('grid').waitFor();
  await workbench.screenshot('road-6-scores');

  await workbench.clickInlineAction(stage('Doctor', /not yet/), 'Check Submission');
  await stage('Doctor', /no errors/).waitFor({ timeout: 60_000 });
  await workbench.screenshot('road-7-doctor');

  await workbench.clickInlineAction(stage('Package', /not yet/), 'Package Submission');
  await stage('Package', /\.tar · just now/).waitFor({ timeout: 60_000 });
  await workbench.screenshot('road-8-package');
  const files = await readdir(join(folder, 'demo-submission'));
  assert.ok(
    files.some((name) => name.endsWith('.tar')),
    files.join(),
  );

  await workbench.clickInlineAction(stage('Serve', /embedded/), 'Stop Server');
  await stage('Serve', /not running/).waitFor();
});

test('a running evaluation is stopped from its row, and that is no news', async (t) => {
  const folder = await folderWithFreePort(t);
  const workbench = await openWorkbench(t, { folder });
  await workbench.runCommand('Submission: Open Demo Submission');
  const stage = (name: string, text: RegExp) =>
    workbench.treeItem(new RegExp(`^${name}`)).filter({ hasText: text });
  await workbench.clickInlineAction(stage('Serve', /not running/), 'Start Server');
  await workbench.pick('models/base');
  await stage('Serve', /embedded/).waitFor({ timeout: 60_000 });
  await workbench.runCommand('Submission: Check Endpoint');
  await workbench.webview().getByText('keeps the contract').waitFor({ timeout: 60_000 });
  await workbench.screenshot('endpoint');
  await workbench.runCommand('Submission: Inspect Checkpoint…');
  await workbench.pick('models/expert-1');
  await workbench.webview().getByText('LlamaForCausalLM').waitFor({ timeout: 60_000 });
  await workbench.screenshot('checkpoint');

  await workbench.clickInlineAction(stage('Score', /not yet/), 'Send Sample HELM Prompts…');
  await workbench.answer();
  await workbench.pick('All');
  await stage('Score', /\d %/).waitFor({ timeout: 60_000 });
  await workbench.statusBarItem(/evaluate \d+ %/).waitFor();
  await workbench.screenshot('working');
  await workbench.clickInlineAction(stage('Score', /\d %/), 'Stop');
  await stage('Score', /not yet/).waitFor({ timeout: 60_000 });
  await workbench
    .treeItem(/^evaluate base/)
    .filter({ hasText: 'cancelled' })
    .waitFor();
  const toasts = workbench.page.locator('.notification-toast').filter({ hasText: 'Prompts' });
  assert.equal(await toasts.count(), 0, 'cancelling is no news');
});
