// The test suites: what each needs and how it runs. A suite's files are test/<name>/**/*.test.ts.
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { desktopVsCode } from '../bootstrap/components.mjs';
import { root } from '../bootstrap/node-modules.mjs';
import { runChecks } from '../check.mjs';
import { runExtensionTests } from './extension-suite.mjs';
import { runNodeTests } from './node-suite.mjs';

/** The environment variables by which tests find components. */
const variables = {
  'python-peers': 'SUBMISSION_STUDIO_PEERS',
  'code-server': 'SUBMISSION_STUDIO_SERVER',
  chromium: 'SUBMISSION_STUDIO_CHROMIUM',
  vscode: 'SUBMISSION_STUDIO_VSCODE',
};

const browserWorkbench = ['chromium', 'code-server'];

/**
 * needs: components without which a suite cannot run. build: whether it uses what `npm run build` makes: 'no', 'some' (it
 * runs from source, with the compiled kernels) or 'all'. run({files, grep, env}): runs it and resolves to
 * {passed, failed, skipped}.
 */
export const suites = {
  check: { needs: [], build: 'no', run: runChecks },
  unit: {
    needs: [],
    build: 'some',
    run: (options) => runNodeTests({ ...options, flags: ['--test-timeout=120000'] }),
  },
  extension: {
    needs: desktopVsCode() ? ['vscode'] : browserWorkbench,
    build: 'all',
    run: runExtensionTests,
  },
  ui: {
    needs: browserWorkbench,
    build: 'all',
    // One process for all files: they share servers and a browser.
    run: (options) => runNodeTests({ ...options, flags: ['--test-isolation=none', '--test-timeout=600000'] }),
  },
  parity: {
    needs: ['python-peers'],
    build: 'some',
    run: (options) => runNodeTests({ ...options, flags: ['--test-concurrency=1', '--test-timeout=600000'] }),
  },
  python: {
    needs: ['python-peers'],
    build: 'some',
    run: (options) => runNodeTests({ ...options, flags: ['--test-concurrency=1', '--test-timeout=600000'] }),
  },
};

// Suites of stages to come: they run as soon as they have test files.
for (const name of ['docker']) {
  suites[name] = { needs: [], build: 'all', run: (options) => runNodeTests(options) };
}

/** @param paths where components are, by name */
export function environment(paths) {
  return Object.fromEntries(
    Object.entries(paths)
      .filter(([name]) => name in variables)
      .map(([name, path]) => [variables[name], path]),
  );
}

export async function testFiles(suite) {
  const folder = join(root, 'test', suite);
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  return names
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => `test/${suite}/${name.replaceAll('\\', '/')}`)
    .sort();
}
