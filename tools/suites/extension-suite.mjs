// Runs test/extension in the real extension host.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { node24, root } from '../bootstrap/node-modules.mjs';
import { runVisibly } from '../bootstrap/shell.mjs';
import { countsOf } from './node-suite.mjs';

/** @returns {Promise<{passed: number, failed: number, skipped: number}>} */
export async function runExtensionTests({ grep, env }) {
  const folder = await mkdtemp(join(tmpdir(), 'submission-test-'));
  const results = join(folder, 'counts.json');
  try {
    const code = await runVisibly(node24, ['test/hosts/run-extension-tests.ts'], {
      cwd: root,
      env: {
        ...env,
        // The launcher is started by its first line, which takes the first Node on PATH.
        PATH: [dirname(node24), process.env.PATH].join(delimiter),
        SUBMISSION_STUDIO_RESULTS: results,
        ...(grep === undefined ? {} : { SUBMISSION_STUDIO_GREP: grep }),
      },
    });
    return await countsOf(results, code);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
