// Makes sure that what a command needs is there, on a machine with nothing but Node 20 and npm.
//   node tools/bootstrap.mjs [COMPONENT…]     without names: what `npm test` needs here

import { components, desktopVsCode } from './bootstrap/components.mjs';
import { say } from './bootstrap/shell.mjs';
import { isMain } from './suites/is-main.mjs';

/**
 * Finds a component, installing it and what it needs first where it is missing.
 * @returns {Promise<{ok: true, path: string} | {ok: false, reason: string}>} where it is, or why it cannot be had
 */
export async function ensure(name) {
  const component = components[name];
  if (component === undefined) {
    return {
      ok: false,
      reason: `there is no component ${name}; known: ${Object.keys(components).join(', ')}`,
    };
  }
  const found = await component.find();
  if (found !== undefined) return { ok: true, path: found };
  for (const need of component.needs ?? []) {
    const result = await ensure(need);
    if (!result.ok) return result;
  }
  say(`bootstrap: ${name} is missing (${component.why}); installing it takes ${component.takes}`);
  const start = performance.now();
  try {
    await component.install();
  } catch (error) {
    return { ok: false, reason: `${name}: ${error.message}` };
  }
  const path = await component.find();
  if (path === undefined) return { ok: false, reason: `${name} was installed but is not usable` };
  say(`bootstrap: ${name} is there after ${((performance.now() - start) / 1e3).toFixed(0)} s`);
  return { ok: true, path };
}

/** For commands that cannot go on without: the path, or the reason on stderr and exit code 3. */
export async function need(name) {
  const result = await ensure(name);
  if (result.ok) return result.path;
  say(result.reason);
  process.exit(3);
}

async function main(names) {
  const usual = Object.keys(components).filter((name) => name !== 'vscode' || desktopVsCode());
  for (const name of names.length > 0 ? names : usual) {
    const result = await ensure(name);
    say(result.ok ? `${name}: ${result.path}` : `${name}: not available: ${result.reason}`);
    if (!result.ok) process.exitCode = 3;
  }
}

if (isMain(import.meta.url)) await main(process.argv.slice(2));
