// Runs test files with Node 24's own test runner and counts the results.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { node24, root } from '../bootstrap/node-modules.mjs';
import { runVisibly } from '../bootstrap/shell.mjs';

const reporter = new URL('./counts.mjs', import.meta.url).href;

/**
 * @param options files: paths of test files, relative to the repository; grep: pattern that a test's name must match; env:
 * variables for the tests; flags: further options of `node --test`
 * @returns {Promise<{passed: number, failed: number, skipped: number}>}
 */
export async function runNodeTests({ files, grep, env = {}, flags = [] }) {
  const folder = await mkdtemp(join(tmpdir(), 'submission-test-'));
  const results = join(folder, 'counts.json');
  try {
    const code = await runVisibly(
      node24,
      [
        '--test',
        '--test-reporter=spec',
        '--test-reporter-destination=stdout',
        `--test-reporter=${reporter}`,
        `--test-reporter-destination=${results}`,
        ...(grep === undefined ? [] : [`--test-name-pattern=${grep}`]),
        ...flags,
        ...files,
      ],
      { cwd: root, env },
    );
    return await countsOf(results, code);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * What a runner counted, from the JSON file that it wrote at its end.
 * @param code the runner's exit code: it also tells of what no test stands for, such as a runner that died
 */
export async function countsOf(file, code) {
  const text = await readFile(file, 'utf8').catch(() => '');
  const counts = text === '' ? { passed: 0, failed: 0, skipped: 0 } : JSON.parse(text);
  return (code !== 0 || text === '') && counts.failed === 0 ? { ...counts, failed: 1 } : counts;
}
