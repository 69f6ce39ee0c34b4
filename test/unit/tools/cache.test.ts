import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { access, mkdir, mkdtemp, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';

const cacheModule = new URL('../../../tools/bootstrap/cache.mjs', import.meta.url).href;

/** Runs a script against the cache of a folder, in a process of its own, as the tools do. */
async function inProcess(cache: string, script: string): Promise<string> {
  const code = `import { appendFile, writeFile } from 'node:fs/promises';
    import { setTimeout as sleep } from 'node:timers/promises';
    import { cached } from ${JSON.stringify(cacheModule)};
    ${script}`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', code], {
    env: { ...process.env, XDG_CACHE_HOME: cache },
  });
  return stdout.trim();
}

async function freshCache(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'cache-test-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

const install = (cache: string, body = '') => `
  console.log(await cached('thing', '2', async (folder) => {
    await appendFile(${JSON.stringify(join(cache, 'installs'))}, 'x');
    ${body}
    await writeFile(folder + '/whole', '');
  }));`;

test('two processes that need the same thing at once install it once', async (t) => {
  const cache = await freshCache(t);
  const script = install(cache, 'await sleep(700);');
  const folder = join(cache, 'submission-studio/thing-2');
  assert.deepEqual(await Promise.all([inProcess(cache, script), inProcess(cache, script)]), [folder, folder]);
  assert.equal(await readFile(join(cache, 'installs'), 'utf8'), 'x');
  await access(join(folder, 'whole'));
  await assert.rejects(access(`${folder}.lock`));
});

test('an installation that broke off is made anew, and its failure is told', async (t) => {
  const cache = await freshCache(t);
  const broken = install(
    cache,
    "await writeFile(folder + '/half', ''); throw new Error('the disk is full');",
  );
  await assert.rejects(inProcess(cache, broken), /the disk is full/);
  await inProcess(cache, install(cache));
  const folder = join(cache, 'submission-studio/thing-2');
  await access(join(folder, 'whole'));
  await assert.rejects(access(join(folder, 'half')));
  assert.equal(await readFile(join(cache, 'installs'), 'utf8'), 'xx');
});

test('a lock whose holder died is taken over', async (t) => {
  const cache = await freshCache(t);
  const lock = join(cache, 'submission-studio/thing-2.lock');
  await mkdir(join(cache, 'submission-studio'));
  await writeFile(lock, '1\n');
  const longAgo = new Date(Date.now() - 60_000);
  await utimes(lock, longAgo, longAgo);
  await inProcess(cache, install(cache));
  await assert.rejects(access(lock));
});

test('a folder made by hand is adopted when it is whole', async (t) => {
  const cache = await freshCache(t);
  const folder = join(cache, 'submission-studio/thing-2');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'mine'), '');
  const adopt = (answer: boolean) => `await cached('thing', '2', async () => {}, async () => ${answer});`;
  await inProcess(cache, adopt(true));
  await access(join(folder, 'mine'));
  await rm(join(folder, '.complete'));
  await inProcess(cache, adopt(false));
  await assert.rejects(access(join(folder, 'mine')));
});
