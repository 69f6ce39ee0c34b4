import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Frame } from 'playwright-core';
import { freshFolder, openWorkbench, type Workbench, type WorkbenchOptions } from '../hosts/workbench.ts';
import { writeRuns } from '../support/runs.ts';

const root = new URL('../../', import.meta.url);
const right = (count: number, of = 100) => Array.from({ length: of }, (_, at) => (at < count ? 1 : 0));

/** A submission with three runs: one beyond the baseline, one within its interval with failures, the baseline. */
async function submissionWithRuns(t: TestContext): Promise<string> {
  const folder = await freshFolder(t);
  await writeFile(join(folder, 'submission.yaml'), 'name: my-merge\nkind: merging\n');
  await writeRuns(join(folder, 'benchmark_output'), 'sample', [
    { run: 'base', scenario: 'arithmetic', values: right(35) },
    { run: 'base', scenario: 'spelling', values: right(80) },
    { run: 'ties-0.5', scenario: 'arithmetic', values: right(70) },
    { run: 'ties-0.5', scenario: 'spelling', values: right(84) },
    { run: 'dare-0.3', scenario: 'arithmetic', values: right(37, 97), failed: 3 },
    { run: 'dare-0.3', scenario: 'spelling', values: [], failed: 100 },
  ]);
  return folder;
}

async function openScores(t: TestContext, options: Omit<WorkbenchOptions, 'folder'> = {}) {
  const workbench = await openWorkbench(t, { folder: await submissionWithRuns(t), ...options });
  await workbench.openContainer('Submission Studio');
  await workbench.treeItem('ties-0.5').waitFor();
  await workbench.runCommand('Submission: Show Scores');
  const page = workbench.webview();
  await page.getByRole('grid').waitFor();
  return { workbench, page };
}

/** The frame of the Scores page itself, for what has to run inside it. */
async function pageFrame(workbench: Workbench): Promise<Frame> {
  for (const frame of workbench.page.frames()) {
    if ((await frame.locator('#app').count()) > 0) return frame;
  }
  throw new Error('there is no frame with the Scores page');
}

async function seriousViolations(workbench: Workbench): Promise<string[]> {
  const frame = await pageFrame(workbench);
  await frame.evaluate(await readFile(new URL('node_modules/axe-core/axe.min.js', root), 'utf8'));
  return frame.evaluate(async () => {
    const { axe } = globalThis as unknown as {
      axe: {
        run(): Promise<{
          violations: { id: string; impact: string; help: string; nodes: { html: string }[] }[];
        }>;
      };
    };
    const { violations } = await axe.run();
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ html }) => html).join(' ')}`);
  });
}

test('the Scores panel shows the runs side by side, the best bold, failures as such', async (t) => {
  const { workbench, page } = await openScores(t);
  const row = (run: string) => page.locator(`tr[data-run="${run}"]`);
  await page.locator('vscode-dropdown').click();
  await page.locator('vscode-option', { hasText: 'base' }).click();
  await row('base').locator('.codicon-star-full').waitFor();
  assert.equal(await row('ties-0.5').locator('td.best .value').first().textContent(), '77.0');
  assert.equal(await row('ties-0.5').locator('.mark.better').count(), 1, 'one value is beyond the intervals');
  assert.match(await row('dare-0.3').innerText(), /failed 3\/100[\s\S]*failed 100\/100/);
  assert.doesNotMatch(await row('dare-0.3').innerText(), /\b0\.0\b/);
  const words = await row('ties-0.5').getByRole('gridcell').nth(1).getAttribute('title');
  assert.match(
    words ?? '',
    /arithmetic: 70\.0 ± 8\.5, .*100 instances.*35\.0 above base, beyond the intervals/,
  );
  await workbench.treeItem('base').filter({ hasText: '57.5' }).waitFor();
  await workbench.screenshot('scores-dark');
});

test('the Scores panel is worked by keyboard: arrows, sort, filter, compare', async (t) => {
  const { workbench, page } = await openScores(t);
  const { page: window } = workbench;
  const runs = () =>
    page.locator('tr[data-run]').evaluateAll((rows) => rows.map((row) => row.getAttribute('data-run')));
  await page.getByRole('rowheader', { name: 'ties-0.5' }).focus();
  await window.keyboard.press('ArrowUp');
  await window.keyboard.press('Enter');
  assert.deepEqual(await runs(), ['base', 'dare-0.3', 'ties-0.5']);
  await page.getByRole('columnheader', { name: /^run/ }).and(page.locator(':focus')).waitFor();
  await window.keyboard.press('ArrowDown');
  await window.keyboard.press('Space');
  await page.getByText('only compared (1)').waitFor();
  await window.keyboard.press('ArrowDown');
  await window.keyboard.press('Space');
  await page.getByText('only compared (2)').waitFor();
  await workbench.treeItem('dare-0.3').locator('[aria-checked="true"], .codicon-check').first().waitFor();
  await window.keyboard.press('c');
  await page.locator('tr[data-run="ties-0.5"]').waitFor({ state: 'detached' });
  assert.deepEqual(await runs(), ['base', 'dare-0.3']);
  await window.keyboard.press('c');
  await window.keyboard.press('/');
  await window.keyboard.type('tie');
  await page.locator('tr[data-run="base"]').waitFor({ state: 'detached' });
  assert.deepEqual(await runs(), ['ties-0.5']);
  await workbench.screenshot('scores-filtered');
});

test('the Scores panel comes back after a reload of the window, sorted and filtered as it was', async (t) => {
  const { workbench, page } = await openScores(t);
  await page.getByRole('columnheader', { name: /^run/ }).click();
  await page.getByRole('textbox', { name: 'Filter runs' }).fill('e-');
  await page.locator('tr[data-run="base"]').waitFor({ state: 'detached' });
  // In a browser the workbench writes its state every five seconds.
  await workbench.page.waitForTimeout(7000);
  await workbench.reload();
  const again = workbench.webview();
  await again.locator('tr[data-run="dare-0.3"]').waitFor({ timeout: 60_000 });
  assert.equal(await again.locator('tr[data-run]').count(), 1);
  assert.equal(
    await again.getByRole('columnheader', { name: /^run/ }).getAttribute('aria-sort'),
    'ascending',
  );
});

test('a new run appears in an open Scores panel by itself', async (t) => {
  const folder = await submissionWithRuns(t);
  const workbench = await openWorkbench(t, { folder });
  await workbench.openContainer('Submission Studio');
  await workbench.treeItem('ties-0.5').click();
  const page = workbench.webview();
  await page.locator('tr[data-run="base"]').waitFor();
  await writeRuns(join(folder, 'benchmark_output'), 'sample', [
    { run: 'slerp', scenario: 'arithmetic', values: right(90) },
    { run: 'slerp', scenario: 'spelling', values: right(91) },
  ]);
  await page.locator('tr[data-run="slerp"]').waitFor();
  await workbench.treeItem('slerp').waitFor();
});

test('the chart has its numbers as a table', async (t) => {
  const { workbench, page } = await openScores(t);
  assert.ok((await page.locator('svg.chart .marker').count()) >= 5);
  await page.getByRole('button', { name: 'Show as table' }).click();
  const numbers = page.getByRole('region', { name: 'Numbers of the chart' });
  await numbers.waitFor();
  assert.match(await numbers.innerText(), /arithmetic\s+ties-0\.5\s+70\.0/);
  await workbench.screenshot('scores-chart-as-table');
});

for (const theme of ['dark', 'light', 'hc-dark', 'hc-light'] as const) {
  test(`the Scores panel has no serious accessibility violation in ${theme}`, async (t) => {
    const { workbench } = await openScores(t, { theme });
    assert.deepEqual(await seriousViolations(workbench), []);
    await workbench.screenshot(`scores-${theme}-axe`);
  });
}

/** Whether the page itself can be scrolled sideways; tables may, in their own box. */
const scrollsSideways = `(() => {
  const page = document.scrollingElement;
  page.scrollLeft = 1000;
  return page.scrollLeft > 0;
})()`;

test('the Scores panel survives 300 pixels', async (t) => {
  const { workbench } = await openScores(t);
  const frame = await pageFrame(workbench);
  await workbench.runCommand('View: Toggle Primary Side Bar Visibility');
  await workbench.page.setViewportSize({ width: 360, height: 900 });
  await workbench.page.waitForTimeout(500);
  const width = Number(await frame.evaluate('window.innerWidth'));
  assert.ok(width <= 320, `the page is ${width} pixels wide`);
  assert.equal(await frame.evaluate(scrollsSideways), false);
  await workbench.screenshot('scores-narrow');
});

test('the Scores panel survives twice the zoom', async (t) => {
  const { workbench } = await openScores(t);
  const frame = await pageFrame(workbench);
  await frame.evaluate(
    "document.documentElement.style.zoom = '2'; window.dispatchEvent(new Event('resize'))",
  );
  await workbench.page.waitForTimeout(500);
  assert.equal(await frame.evaluate(scrollsSideways), false);
  await workbench.screenshot('scores-zoom');
});
