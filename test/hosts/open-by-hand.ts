// Serves the workbench with the extension to a person until Ctrl-C; tools/workbench.mjs starts it.
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startServer } from './server.ts';

const { values, positionals } = parseArgs({
  options: { port: { type: 'string', default: '0' }, untrusted: { type: 'boolean', default: false } },
  allowPositionals: true,
});

/** Opens the person's browser, where there is a screen to show it on. */
function openBrowser(url: string): void {
  const openers: Partial<Record<NodeJS.Platform, string[]>> = {
    darwin: ['open', url],
    win32: ['rundll32', 'url.dll,FileProtocolHandler', url],
  };
  const onScreen = process.env.DISPLAY !== undefined || process.env.WAYLAND_DISPLAY !== undefined;
  const [command, ...args] = openers[process.platform] ?? (onScreen ? ['xdg-open', url] : []);
  if (command === undefined) return;
  // Without a browser the printed address is what remains.
  spawn(command, args, { stdio: 'ignore', detached: true })
    .on('error', () => {})
    .unref();
}

const main = process.env.SUBMISSION_STUDIO_SERVER;
if (main === undefined) throw new Error('SUBMISSION_STUDIO_SERVER is not set; use npm run workbench');
const [named] = positionals;
// npm runs scripts in the package's folder and tells in INIT_CWD where the person is.
const own = named === undefined ? await mkdtemp(join(tmpdir(), 'studio-try-')) : undefined;
const folder = own ?? resolve(process.env.INIT_CWD ?? '.', named ?? '.');
const server = await startServer({
  main,
  trusted: !values.untrusted,
  extension: fileURLToPath(new URL('../../', import.meta.url)),
  port: Number(values.port),
});
const url = server.windowUrl({ folder });
console.log(`${url}\nshows ${folder}; Ctrl-C ends it`);
openBrowser(url);
await new Promise((resolve) => {
  process.once('SIGINT', resolve);
  process.once('SIGTERM', resolve);
});
await server.stop();
if (own !== undefined) await rm(own, { recursive: true, force: true });
