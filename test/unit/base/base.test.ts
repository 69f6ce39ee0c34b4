import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { z } from 'zod';
import {
  describeError,
  errorDetails,
  failureKind,
  folderAtomic,
  formatBytes,
  formatDuration,
  fromSystemError,
  maskSecrets,
  parseSize,
  parseWith,
  UserError,
  writeAtomic,
  writeFileAtomic,
} from '../../../src/base/index.ts';

let folder = '';
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'base-'));
});
after(() => rm(folder, { recursive: true }));

test('sizes take the units of mergekit and IEC ones', () => {
  assert.equal(parseSize('60K', 'size'), 60_000);
  assert.equal(parseSize('200M', 'size'), 2e8);
  assert.equal(parseSize('5GB', 'size'), 5e9);
  assert.equal(parseSize('5B', 'size'), 5e9);
  assert.equal(parseSize('1GiB', 'size'), 2 ** 30);
  assert.equal(parseSize('1.5MiB', 'size'), 1.5 * 2 ** 20);
  assert.equal(parseSize('1234', 'size'), 1234);
  for (const wrong of ['', 'x', '-1', '5 apples', '1GiBB', 'NaN']) {
    assert.throws(() => parseSize(wrong, '--memory'), /is not a size/, wrong);
  }
});

test('bytes and durations are short and read well', () => {
  assert.deepEqual([0, 999, 1000, 999_600, 1_234_567, 45e9].map(formatBytes), [
    '0 B',
    '999 B',
    '1 kB',
    '1 MB',
    '1.23 MB',
    '45 GB',
  ]);
  assert.deepEqual([0, 9.94, 59.4, 59.6, 64, 4320].map(formatDuration), [
    '0.0 s',
    '9.9 s',
    '59 s',
    '1 m 00 s',
    '1 m 04 s',
    '1 h 12 m',
  ]);
});

test('an error names its place and remedy, never a stack', () => {
  const error = new UserError('unknown merge method "foo"', {
    place: { file: 'recipe.yml', line: 3, field: 'merge_method' },
    remedy: 'Use linear.',
  });
  assert.equal(describeError(error), 'recipe.yml:3, merge_method: unknown merge method "foo". Use linear.');
  assert.equal(describeError(new TypeError('x is undefined')), 'Unexpected failure: x is undefined');
  const above = new UserError('It holds the model /home/a/base', { place: { file: '/home/a' } });
  assert.equal(describeError(above), '/home/a: It holds the model /home/a/base');
  const said = new UserError('The file /home/a is empty', { place: { file: '/home/a' } });
  assert.equal(describeError(said), 'The file /home/a is empty');
  assert.equal(failureKind(new TypeError('x')), 'work');
});

test('system errors say what they mean, and whose fault they are', () => {
  const full = Object.assign(new Error('write'), { code: 'ENOSPC', path: 'out.bin' });
  assert.match(describeError(full), /^out\.bin: .*the disk is full\. Free some space/);
  assert.equal(failureKind(full), 'work');
  const absent = Object.assign(new Error('open'), { code: 'ENOENT', path: 'model' });
  assert.equal(failureKind(absent), 'usage');
  const other = new Error('other');
  assert.equal(fromSystemError(other, 'Reading'), other);
});

test('every wrong field of a document is named', () => {
  const schema = z.object({ limits: z.object({ hours: z.number() }), name: z.string() });
  assert.throws(
    () => parseWith(schema, { limits: { hours: 'two' } }, 'The track', { file: 't.yaml' }),
    (error) =>
      /t\.yaml.*limits\.hours: must be a number, not a text; name: is missing/.test(describeError(error)),
  );
});

test('credentials are masked in messages and in details of errors', () => {
  const token = `hf_${'a1B2'.repeat(9)}`;
  assert.equal(maskSecrets(`login(${token})`), 'login(hf_…)');
  assert.doesNotMatch(maskSecrets(`WANDB_API_KEY=${'0f'.repeat(20)}`), /0f0f/);
  const details = errorDetails(new Error('outer', { cause: new Error(token) }));
  assert.match(details, /outer[\s\S]*caused by/);
  assert.ok(!details.includes(token));
});

test('a file appears whole or not at all, and an old one survives a failure', async () => {
  const path = join(folder, 'sub', 'file.json');
  await writeFileAtomic(path, 'first');
  await assert.rejects(
    writeAtomic(path, async (file) => {
      await file.writeFile('half');
      throw new Error('stopped');
    }),
    /stopped/,
  );
  assert.equal(await readFile(path, 'utf8'), 'first');
  assert.deepEqual(await readdir(join(folder, 'sub')), ['file.json']);
});

test('a folder is replaced only once the new one is complete', async () => {
  const path = join(folder, 'out');
  await folderAtomic(path, (temporary) => writeFile(join(temporary, 'a'), '1'));
  await assert.rejects(
    folderAtomic(path, async (temporary) => {
      await writeFile(join(temporary, 'b'), '2');
      throw new Error('stopped');
    }),
    /stopped/,
  );
  assert.deepEqual(await readdir(path), ['a']);
  await folderAtomic(path, (temporary) => writeFile(join(temporary, 'b'), '2'));
  assert.deepEqual(await readdir(path), ['b']);
  assert.deepEqual(
    (await readdir(folder)).filter((name) => name.endsWith('.tmp')),
    [],
  );
});

test('a folder that the system refuses is an error at once, not an endless try', async (t) => {
  if (process.platform !== 'linux') return t.skip('only Linux has a file system that answers so');
  await assert.rejects(writeFileAtomic('/proc/no-such-folder/file', 'x'), /Cannot write the file/);
  await assert.rejects(
    folderAtomic('/proc/no-such-folder/deeper', async () => {}),
    /Cannot write the folder/,
  );
});
