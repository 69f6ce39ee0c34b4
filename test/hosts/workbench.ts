import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Browser, FrameLocator, Locator, Page } from 'playwright-core';
import { launchBrowser } from './browser.ts';
import { startServer, type WorkbenchServer } from './server.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const screenshots = join(root, 'test/ui/screenshots');

/** VS Code's four looks, by the names of its themes. */
export const themes = {
  dark: 'Default Dark Modern',
  light: 'Default Light Modern',
  'hc-dark': 'Default High Contrast',
  'hc-light': 'Default High Contrast Light',
} as const;

export interface WorkbenchOptions {
  /** The folder to open; without it the window is empty. */
  readonly folder?: string;
  /** False: the window starts in restricted mode. Default true. */
  readonly trusted?: boolean;
  readonly viewport?: { readonly width: number; readonly height: number };
  readonly theme?: keyof typeof themes;
  readonly settings?: Readonly<Record<string, unknown>>;
  /** The extension to show: a VSIX file, or the folder of a source tree. Default: this one. */
  readonly extension?: string;
}

/** A test's context once the test has run, as Node 24 gives it to `after` hooks. */
interface FinishedContext extends TestContext {
  readonly passed: boolean;
}

const servers = new Map<string, Promise<WorkbenchServer>>();
let browser: Promise<Browser> | undefined;

after(async () => {
  await (await browser)?.close();
  // A server that did not start has failed its tests already.
  const started = await Promise.allSettled(servers.values());
  for (const server of started) if (server.status === 'fulfilled') await server.value.stop();
});

function required(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set; npm run test:ui sets it`);
  return value;
}

/** One server for all windows of a kind: starting it takes longer than opening a window. */
function serverFor(trusted: boolean, extension: string): Promise<WorkbenchServer> {
  const key = JSON.stringify([trusted, extension]);
  let server = servers.get(key);
  if (server === undefined) {
    server = startServer({ main: required('SUBMISSION_STUDIO_SERVER'), trusted, extension });
    servers.set(key, server);
  }
  return server;
}

/** An empty folder that is removed when the test ends. */
export async function freshFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'studio-ui-'));
  t.after(() => rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 }));
  return folder;
}

/**
 * Opens VS Code's workbench with the extension and a new user, and waits until the extension host runs. The window
 * closes with the test; when the test fails, a screenshot and the extension's logs are kept.
 */
export async function openWorkbench(t: TestContext, options: WorkbenchOptions = {}): Promise<Workbench> {
  const {
    folder,
    trusted = true,
    extension = root,
    viewport = { width: 1280, height: 800 },
    theme = 'dark',
  } = options;
  const server = await serverFor(trusted, extension);
  const opened = Date.now();
  await server.resetUser({ 'workbench.colorTheme': themes[theme], ...options.settings });
  browser ??= launchBrowser(required('SUBMISSION_STUDIO_CHROMIUM'));
  const context = await (await browser).newContext({ viewport });
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  const workbench = new Workbench(page);
  t.after(async () => {
    const failure = `failed-${t.name.replaceAll(/\W+/g, '-')}`;
    if ((t as FinishedContext).passed) {
      await rm(join(screenshots, `${failure}.png`), { force: true });
    } else {
      await workbench.screenshot(failure).catch(() => {});
      t.diagnostic(await server.readExtensionLogs(opened));
    }
    await context.close();
  });
  await page.goto(server.windowUrl(folder === undefined ? {} : { folder }));
  await workbench.ready();
  return workbench;
}

/** What a person does in a window of VS Code, in their words. */
export class Workbench {
  readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  /** Waits until the window stands and its extension host has started. */
  async ready(): Promise<void> {
    await this.page.locator('.monaco-workbench .part.activitybar').waitFor();
    await this.page.locator('.monaco-workbench .part.statusbar').waitFor();
    await this.page.waitForFunction(() => performance.getEntriesByName('code/didStartWorkbench').length > 0);
  }

  /** Loads the page anew, as after "Reload Window". */
  async reload(): Promise<void> {
    await this.page.reload();
    await this.ready();
  }

  /** Runs a command from the palette; `label` is its full name, category included ("Submission: Merge"). */
  async runCommand(label: string): Promise<void> {
    const row = this.quickPickRow(label);
    // Commands appear as their extension arrives and as context keys change: the palette is opened anew until then.
    for (let attempt = 0; ; attempt++) {
      await this.page.keyboard.press('Escape');
      await this.page.keyboard.press('F1');
      const input = this.page.locator('.quick-input-widget input.input');
      await input.waitFor();
      await input.fill(`>${label}`);
      const found = await row.waitFor({ timeout: 3_000 }).then(
        () => true,
        () => false,
      );
      if (found) break;
      if (attempt === 8) throw new Error(`the command palette has no "${label}"`);
    }
    await row.click();
  }

  /** Labels that the command palette offers for a text. */
  async commandsFor(text: string): Promise<string[]> {
    await this.page.keyboard.press('F1');
    const input = this.page.locator('.quick-input-widget input.input');
    await input.waitFor();
    await input.fill(`>${text}`);
    await this.page.waitForTimeout(500);
    const labels = await this.page
      .locator('.quick-input-list .monaco-list-row .label-name')
      .allTextContents();
    await this.page.keyboard.press('Escape');
    return labels;
  }

  /** The open quick pick or input box. */
  get quickInput(): Locator {
    return this.page.locator('.quick-input-widget:visible');
  }

  private quickPickRow(label: string | RegExp): Locator {
    const text =
      typeof label === 'string' ? new RegExp(`^${label.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')}(,|$)`) : label;
    return this.page.locator('.quick-input-list .monaco-list-row').and(this.page.getByLabel(text)).first();
  }

  /** Chooses a row of the open quick pick by its label, or the preselected one. */
  async pick(label?: string | RegExp): Promise<void> {
    await this.quickInput.waitFor();
    if (label === undefined) await this.page.keyboard.press('Enter');
    else await this.quickPickRow(label).click();
  }

  /** Types into the open input box and accepts; without text its default is accepted. */
  async answer(text?: string): Promise<void> {
    const input = this.quickInput.locator('input.input');
    await input.waitFor();
    if (text !== undefined) await input.fill(text);
    await this.page.keyboard.press('Enter');
  }

  /** Opens a container of the activity bar by its title; it stays open when it already is. */
  async openContainer(title: string): Promise<void> {
    const tab = this.page.locator('.part.activitybar .action-item').filter({
      has: this.page.locator(`a[aria-label^="${title}"]`),
    });
    await tab.waitFor();
    if ((await tab.getAttribute('aria-expanded')) !== 'true' && !(await this.isChecked(tab)))
      await tab.click();
    await this.page.locator('.part.sidebar').waitFor();
  }

  private async isChecked(tab: Locator): Promise<boolean> {
    return /\bchecked\b/.test((await tab.getAttribute('class')) ?? '');
  }

  /** A view of the sidebar by its title. */
  view(title: string): Locator {
    return this.page
      .locator('.part.sidebar .pane')
      .filter({ has: this.page.locator(`.pane-header[aria-label^="${title}"]`) });
  }

  /** A row of a tree of the sidebar that holds this text. */
  treeItem(text: string | RegExp): Locator {
    return this.page.locator('.part.sidebar .monaco-list-row[role="treeitem"]').filter({ hasText: text });
  }

  /** A button that a tree row shows on hover, by its name. */
  async clickInlineAction(row: Locator, name: string): Promise<void> {
    await row.hover();
    await row.locator(`.actions-container [aria-label="${name}"]`).click();
  }

  /** Waits for a notification with this text and returns it whole. */
  async notification(text: string | RegExp, timeout = 60_000): Promise<string> {
    const toast = this.page.locator('.notification-toast .notification-list-item').filter({ hasText: text });
    await toast.first().waitFor({ timeout });
    return (await toast.first().locator('.notification-list-item-message').textContent()) ?? '';
  }

  /** Presses a button of the notification with this text. */
  async answerNotification(text: string | RegExp, button: string): Promise<void> {
    const toast = this.page.locator('.notification-toast .notification-list-item').filter({ hasText: text });
    await toast.first().getByRole('button', { name: button, exact: true }).click();
  }

  /** The contents of the visible webview; of several, the one at `index`. */
  webview(index = 0): FrameLocator {
    return this.page.frameLocator('iframe.webview.ready').nth(index).frameLocator('iframe#active-frame');
  }

  /** Title of an editor tab that is open. */
  tab(title: string | RegExp): Locator {
    return this.page.locator('.part.editor .tabs-container .tab').filter({ hasText: title });
  }

  statusBarItem(text: string | RegExp): Locator {
    return this.page.locator('.part.statusbar .statusbar-item').filter({ hasText: text });
  }

  /** Keeps a picture for a person to look at, in test/ui/screenshots/, and returns its PNG bytes. */
  async screenshot(name: string): Promise<Buffer> {
    await mkdir(screenshots, { recursive: true });
    return this.page.screenshot({ path: join(screenshots, `${name}.png`) });
  }
}
