import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const runner = fileURLToPath(new URL('../../../tools/test.mjs', import.meta.url));

/** Runs the test runner as `npm test -- ARGUMENTS` does. */
function run(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const own = { ...process.env, CI: 'false', ...env };
  // The runner's own children must not report to the runner of this test.
  const { NODE_TEST_CONTEXT: _context, ...clean } = own as NodeJS.ProcessEnv;
  const { status, stdout, stderr } = spawnSync(process.execPath, [runner, ...args], {
    env: clean,
    encoding: 'utf8',
  });
  return { status, stderr, lines: stdout.trim().split('\n') };
}

const noBrowser = { SUBMISSION_STUDIO_CHROMIUM: '/no/such/browser' };

test('a suite that cannot have what it needs is skipped by name with the reason', () => {
  const { status, lines } = run(['ui'], noBrowser);
  assert.equal(lines.at(-1), '0 passed, 0 failed, 1 skipped');
  assert.match(
    lines.at(-3) ?? '',
    /^ui .*skipped: chromium: SUBMISSION_STUDIO_CHROMIUM is no program: \/no\/such\/browser/,
  );
  assert.equal(status, 0);
});

test('on CI such a skip is a failure', () => {
  const { status, lines } = run(['ui'], { ...noBrowser, CI: 'true' });
  assert.equal(lines.at(-1), '0 passed, 1 failed, 0 skipped');
  assert.equal(status, 1);
});

test('an unknown suite is wrong usage and names the known ones', () => {
  const { status, stderr } = run(['untit']);
  assert.equal(status, 2);
  assert.match(stderr, /no such suite or test file: untit; suites: check, unit, extension, ui, parity/);
});
