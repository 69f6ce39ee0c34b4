// Makes the VSIX of a platform: npm run package [-- --target linux-x64 --out DIR]
// Ends with what is biggest in it, and with its path as the last line of stdout.
import { fileURLToPath } from 'node:url';
import { node24 } from './bootstrap/node-modules.mjs';
import { runVisibly } from './bootstrap/shell.mjs';
import { need } from './bootstrap.mjs';

await need('node_modules');
const main = fileURLToPath(new URL('./package/main.mjs', import.meta.url));
process.exitCode = await runVisibly(node24, [main, ...process.argv.slice(2)]);
