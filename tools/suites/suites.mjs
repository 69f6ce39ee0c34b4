// The test suites: what each needs and how it runs. A suite's files are test/<name>/**/*.test.ts.
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { root } from '../bootstrap/node-modules.mjs';
import { runChecks } from '../check.mjs';
import { runNodeTests } from './node-suite.mjs';

/**
 * needs: components without which it cannot run. build: whether it uses what `npm run build` makes: 'no', 'some' (it runs
 * from source, with the compiled kernels) or 'all'.
 * run({files, grep, paths}): runs it; `paths` are the places of the components. Resolves to {passed, failed, skipped}.
 */
export const suites = {
  check: { needs: [], build: 'no', run: runChecks },
  unit: {
    needs: [],
    build: 'some',
    run: ({ files, grep }) => runNodeTests(files, { grep, timeout: 120_000 }),
  },
  parity: {
    needs: ['python-peers'],
    build: 'some',
    run: ({ files, grep, paths }) =>
      runNodeTests(files, {
        grep,
        concurrency: 1,
        timeout: 600_000,
        env: { SUBMISSION_STUDIO_PEERS: paths['python-peers'] },
      }),
  },
};

export async function testFiles(suite) {
  const folder = join(root, 'test', suite);
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  return names
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => `test/${suite}/${name.replaceAll('\\', '/')}`)
    .sort();
}
