// Builds dist/ when it is missing or older than what it is made from.
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { root } from './node-modules.mjs';
import { runVisibly, say } from './shell.mjs';

const sources = ['src', 'webview', 'esbuild.mjs', 'package-lock.json'];

/** The newest modification below a file or folder, in ms since 1970. */
async function newest(path) {
  const entry = await stat(path).catch(() => undefined);
  if (entry === undefined) return 0;
  if (!entry.isDirectory()) return entry.mtimeMs;
  const names = await readdir(path);
  return Math.max(entry.mtimeMs, ...(await Promise.all(names.map((name) => newest(join(path, name))))));
}

export async function isBuilt() {
  // The build writes the command line last.
  const built = await stat(join(root, 'dist/cli.js')).catch(() => undefined);
  if (built === undefined) return false;
  const changed = await Promise.all(sources.map((source) => newest(join(root, source))));
  return Math.max(...changed) <= built.mtimeMs;
}

/** @returns {Promise<boolean>} whether dist/ now fits the sources; the compiler's messages are on stderr */
export async function ensureBuilt() {
  if (await isBuilt()) return true;
  say('building dist/');
  const code = await runVisibly(process.execPath, [join(root, 'esbuild.mjs')], {
    cwd: root,
    stdio: ['ignore', process.stderr, process.stderr],
  });
  return code === 0;
}
