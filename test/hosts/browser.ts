import { type Browser, chromium } from 'playwright-core';

/** Starts Chromium for the workbench, with no connections of its own. `executable` is Chromium or Chrome. */
export async function launchBrowser(executable: string, headless = true): Promise<Browser> {
  return chromium.launch({
    executablePath: executable,
    headless,
    args: [
      '--disable-background-networking',
      '--disable-quic',
      '--disable-component-update',
      // Containers give /dev/shm 64 MB, too little for a workbench.
      '--disable-dev-shm-usage',
    ],
  });
}
