// Takes the place of the `code` program where VS Code itself cannot be had: opens VS Code's real server and workbench
// in Chromium with the arguments of desktop VS Code, and ends with the exit code of the extension tests.
// SUBMISSION_STUDIO_SERVER names server-main.js, SUBMISSION_STUDIO_CHROMIUM the browser.
import { parseArgs } from 'node:util';
import { launchBrowser } from './browser.ts';
import { startServer } from './server.ts';

const path = { type: 'string' } as const;
const { values, positionals } = parseArgs({
  options: {
    extensionDevelopmentPath: path,
    extensionTestsPath: path,
    'disable-workspace-trust': { type: 'boolean', default: false },
  },
  allowPositionals: true,
  // VS Code ignores the options that it does not know, and so do we with those that mean nothing to a server.
  strict: false,
});

function required(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set`);
  return value;
}

const text = (value: unknown) => (typeof value === 'string' ? value : undefined);

async function main(): Promise<number> {
  const server = await startServer({
    main: required('SUBMISSION_STUDIO_SERVER'),
    trusted: values['disable-workspace-trust'] === true,
    development: true,
  });
  const browser = await launchBrowser(required('SUBMISSION_STUDIO_CHROMIUM'));
  let limit: NodeJS.Timeout | undefined;
  try {
    const page = await browser.newPage();
    // What the workbench calls in windows that run extension tests: log lines, and the end.
    await page.exposeFunction('codeAutomationLog', (_type: string, args: unknown[]) => {
      const line = args.filter((part): part is string => typeof part === 'string').join(' ');
      if (line.startsWith('[test] ')) console.log(line.slice('[test] '.length));
    });
    const ended = new Promise<number>((resolve, reject) => {
      page.exposeFunction('codeAutomationExit', resolve).catch(reject);
      page.on('crash', () => reject(new Error('the workbench page crashed')));
      limit = setTimeout(() => reject(new Error('the tests did not end within 15 minutes')), 900_000);
    });
    const folder = positionals[0];
    const development = text(values.extensionDevelopmentPath);
    const tests = text(values.extensionTestsPath);
    await page.goto(
      server.windowUrl({
        ...(folder === undefined ? {} : { folder }),
        ...(development === undefined ? {} : { extensionDevelopmentPath: development }),
        ...(tests === undefined ? {} : { extensionTestsPath: tests }),
      }),
    );
    const code = await ended;
    if (code !== 0) console.log(await server.readExtensionLogs());
    return code;
  } finally {
    clearTimeout(limit);
    await browser.close();
    await server.stop();
  }
}

process.exitCode = await main();
