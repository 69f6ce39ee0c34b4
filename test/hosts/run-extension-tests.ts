// Bundles test/extension and runs it in the extension host, on a fresh copy of a workspace and with fresh user data.
// SUBMISSION_STUDIO_VSCODE names VS Code; without it the launcher opens VS Code's server and workbench in Chromium.
import { cp, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runTests } from '@vscode/test-electron';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('../../', import.meta.url));
const bundles = join(root, 'out/extension-tests');

async function bundleTests(): Promise<void> {
  const names = await readdir(join(root, 'test/extension'));
  await rm(bundles, { recursive: true, force: true });
  await build({
    absWorkingDir: root,
    entryPoints: ['index.ts', ...names.filter((name) => name.endsWith('.test.ts'))].map(
      (name) => `test/extension/${name}`,
    ),
    outdir: bundles,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node22',
    sourcemap: 'inline',
    external: ['vscode'],
    packages: 'external',
    logLevel: 'warning',
  });
}

async function main(): Promise<void> {
  await bundleTests();
  const folder = await mkdtemp(join(tmpdir(), 'studio-tests-'));
  const workspace = join(folder, 'workspace');
  await cp(join(root, 'test/fixtures/workspace'), workspace, { recursive: true });
  try {
    await runTests({
      vscodeExecutablePath:
        process.env.SUBMISSION_STUDIO_VSCODE ?? fileURLToPath(new URL('./code.mjs', import.meta.url)),
      extensionDevelopmentPath: root,
      extensionTestsPath: join(bundles, 'index.js'),
      launchArgs: [
        workspace,
        `--user-data-dir=${join(folder, 'user')}`,
        `--extensions-dir=${join(folder, 'ext')}`,
      ],
    });
  } catch {
    // runTests has printed all that is known; its error only repeats the exit code.
    process.exitCode = 1;
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
}

await main();
