// Types, format, lint and architecture: npm run check
import { join } from 'node:path';
import { node24, root } from './bootstrap/node-modules.mjs';
import { runVisibly, say } from './bootstrap/shell.mjs';
import { need } from './bootstrap.mjs';
import { isMain } from './suites/is-main.mjs';

const bin = (path) => join(root, 'node_modules', path);

/** What must hold for the sources, each a program that says what does not. */
export const checks = {
  'types of the extension and the command line': [bin('typescript/bin/tsc'), '-p', '.'],
  'types of the webviews': [bin('typescript/bin/tsc'), '-p', 'webview'],
  'format and lint': [bin('@biomejs/biome/bin/biome'), 'check', '--error-on-warnings', '.'],
};

/** @returns {Promise<{passed: number, failed: number, skipped: number}>} */
export async function runChecks() {
  let failed = 0;
  for (const [name, command] of Object.entries(checks)) {
    const start = performance.now();
    const ok = (await runVisibly(node24, command, { cwd: root })) === 0;
    console.log(`${ok ? '✔' : '✖'} ${name} (${((performance.now() - start) / 1e3).toFixed(1)} s)`);
    if (!ok) failed += 1;
  }
  return { passed: Object.keys(checks).length - failed, failed, skipped: 0 };
}

if (isMain(import.meta.url)) {
  await need('node_modules');
  const { failed } = await runChecks();
  const architecture = await runVisibly(node24, ['--test', 'test/unit/architecture/*.test.ts'], {
    cwd: root,
  });
  if (failed > 0 || architecture !== 0) process.exitCode = 1;
  else say('all checks passed');
}
