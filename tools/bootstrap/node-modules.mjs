// The libraries of package-lock.json, and with them the Node 24 that tests run under.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { withLock } from './cache.mjs';
import { onPath, run } from './shell.mjs';

export const root = fileURLToPath(new URL('../../', import.meta.url));

/** Node 24 from the npm package `node`: it runs TypeScript sources, the VS Code server and the test suites. */
export const node24 = join(root, 'node_modules/node/bin', process.platform === 'win32' ? 'node.exe' : 'node');

const readJson = async (path) => JSON.parse(await readFile(path, 'utf8'));

/**
 * What package-lock.json asks for and node_modules does not hold. Compared by content: file times say nothing after a
 * clone or after `npm install NAME`.
 */
export async function missingModules(folder = root) {
  const wanted = (await readJson(join(folder, 'package-lock.json'))).packages;
  const present = await readJson(join(folder, 'node_modules/.package-lock.json')).then(
    (lock) => lock.packages,
    () => ({}),
  );
  return Object.entries(wanted)
    .filter(([path, entry]) => path !== '' && !entry.optional && !entry.devOptional)
    .filter(([path, entry]) => present[path]?.version !== entry.version)
    .map(([path]) => path.replace(/^.*node_modules\//, ''));
}

/** Runs npm in a folder: the one that started us, else the one on PATH. */
export async function npm(args, options) {
  // `npm run --silent` hands its silence down, and errors would be lost. The
  // runtime's install script downloads CUDA libraries that nothing here needs.
  const env = { ...options.env, npm_config_loglevel: 'error', ONNXRUNTIME_NODE_INSTALL: 'skip' };
  const own = { ...options, env };
  const script = process.env.npm_execpath;
  if (script?.endsWith('.js')) return run(process.execPath, [script, ...args], own);
  const command = await onPath('npm');
  if (command === undefined)
    throw new Error('npm is not on PATH; it comes with Node 20 or newer (nodejs.org)');
  return run(command, args, own);
}

export async function installModules() {
  // One lock a clone: two commands started at once in it must not both run npm.
  const clone = root.replace(/[^A-Za-z0-9]+/g, '-');
  await withLock(`node_modules${clone}`, async () => {
    if ((await missingModules()).length > 0) await npm(['ci', '--no-audit', '--no-fund'], { cwd: root });
  });
}
