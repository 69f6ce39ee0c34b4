// The whole way on the demo, from a fresh clone: npm run demo [-- ARGUMENTS of `submission demo`]
// Stdout carries nothing but what `submission demo` prints, so that --json stays one document.
import { join } from 'node:path';
import { ensureBuilt } from './bootstrap/build.mjs';
import { root } from './bootstrap/node-modules.mjs';
import { runVisibly } from './bootstrap/shell.mjs';
import { need } from './bootstrap.mjs';

await need('node_modules');
if (!(await ensureBuilt())) process.exit(3);
process.exitCode = await runVisibly(process.execPath, [
  join(root, 'dist/cli.js'),
  'demo',
  ...process.argv.slice(2),
]);
