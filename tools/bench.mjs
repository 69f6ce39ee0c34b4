// Runs benchmarks, each a program that prints Markdown tables: npm run bench [-- NAME…]
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ensureBuilt } from './bootstrap/build.mjs';
import { node24, root } from './bootstrap/node-modules.mjs';
import { runVisibly, say } from './bootstrap/shell.mjs';
import { need } from './bootstrap.mjs';

const suffix = '.bench.ts';
const known = (await readdir(join(root, 'test/bench')).catch(() => []))
  .filter((name) => name.endsWith(suffix))
  .map((name) => name.slice(0, -suffix.length))
  .sort();
const names = process.argv.length > 2 ? process.argv.slice(2) : known;
const unknown = names.filter((name) => !known.includes(name));
if (unknown.length > 0) {
  say(`no such benchmark: ${unknown.join(', ')}; known: ${known.join(', ') || 'none'}`);
  process.exit(2);
}
await need('node_modules');
if (!(await ensureBuilt())) process.exit(3);
for (const name of names) {
  console.log(`\n## ${name}\n`);
  const code = await runVisibly(node24, [`test/bench/${name}${suffix}`], { cwd: root });
  if (code !== 0) process.exitCode = 1;
}
