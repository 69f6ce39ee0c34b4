import assert from 'node:assert/strict';
import { test } from 'node:test';
import { contrast } from '../hosts/pixels.ts';
import { freshFolder, openWorkbench } from '../hosts/workbench.ts';

test('the workbench opens, the activity bar shows the extension, and its sidebar is not an empty page', async (t) => {
  const workbench = await openWorkbench(t, { folder: await freshFolder(t) });
  await workbench.openContainer('Submission Studio');
  await workbench.view('Submission').waitFor();
  const { deviation, colours } = contrast(await workbench.screenshot('workbench'));
  assert.ok(deviation > 3, `brightness deviates by ${deviation}`);
  assert.ok(colours > 50, `${colours} colours`);
});
