// The extension in a real workbench, to try by hand: npm run workbench [-- FOLDER] [--port N]
import { delimiter, dirname } from 'node:path';
import { ensureBuilt } from './bootstrap/build.mjs';
import { node24, root } from './bootstrap/node-modules.mjs';
import { runVisibly } from './bootstrap/shell.mjs';
import { need } from './bootstrap.mjs';

await need('node_modules');
const server = await need('code-server');
if (!(await ensureBuilt())) process.exit(3);
process.exitCode = await runVisibly(node24, ['test/hosts/open-by-hand.ts', ...process.argv.slice(2)], {
  cwd: root,
  env: {
    SUBMISSION_STUDIO_SERVER: server,
    PATH: [dirname(node24), process.env.PATH].join(delimiter),
    INIT_CWD: process.env.INIT_CWD ?? process.cwd(),
  },
});
