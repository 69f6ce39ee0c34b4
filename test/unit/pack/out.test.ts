import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import type { UserError } from '../../../src/base/index.ts';
import { pack, verifyPackage } from '../../../src/pack/index.ts';
import { efficiency, september } from '../doctor/check.ts';
import { folderWith } from '../submission/folder.ts';

const refusedAt = (file: string) => (error: UserError) => {
  assert.equal(error.kind, 'usage');
  assert.equal(error.place.file, file);
  assert.ok(error.remedy);
  return true;
};

test('a folder that pack did not write is never replaced', async () => {
  const around = await folderWith({});
  const folder = join(around, 'mine');
  await mkdir(folder);
  for (const [path, content] of Object.entries(efficiency())) await writeFile(join(folder, path), content);
  const other = await folderWith({ 'thesis.txt': 'x' });
  const before = (await readdir(folder)).sort();
  for (const out of [folder, around, other]) {
    await assert.rejects(pack(folder, { form: 'folder', out, force: true }), refusedAt(out));
  }
  const link = join(other, 'link');
  await symlink(folder, link);
  await assert.rejects(pack(folder, { form: 'folder', out: link }), refusedAt(link));
  const file = join(other, 'thesis.txt');
  await assert.rejects(pack(folder, { form: 'folder', out: file }), refusedAt(file));
  await assert.rejects(pack(folder, { form: 'zip', out: other }), refusedAt(other));
  assert.deepEqual((await readdir(folder)).sort(), before);
  assert.deepEqual(await readdir(around), ['mine']);
  assert.equal(await readFile(file, 'utf8'), 'x');
});

test('an empty folder and the earlier package are replaced', async () => {
  const folder = await folderWith(efficiency());
  const out = join(await folderWith({}), 'package');
  await mkdir(out);
  for (let time = 0; time < 2; time++) await pack(folder, { form: 'folder', out });
  assert.deepEqual((await readdir(out)).sort(), ['Dockerfile', 'main.py']);
});

test('a file with the default name is the user’s unless it is the earlier package', async () => {
  const folder = await folderWith({ ...september(), 'mine.tar': 'data', 'mine.zip': 'more' });
  const file = join(folder, 'mine.tar');
  await assert.rejects(pack(folder), refusedAt(file));
  assert.equal(await readFile(file, 'utf8'), 'data');
  const out = join(await folderWith({ 'old.tar': 'x' }), 'old.tar');
  const { entries } = await pack(folder, { out });
  const paths = entries.map(({ path }) => path);
  assert.ok(paths.includes('LLM-Merging/mine.tar') && paths.includes('LLM-Merging/mine.zip'));
});

test('packages written at different places are all known as such', async () => {
  const folder = await folderWith(september());
  const first = await pack(folder);
  const second = await pack(folder, { out: join(folder, 'copy.tar') });
  const third = await pack(folder);
  assert.equal(third.file, first.file);
  assert.equal(third.sha256, first.sha256);
  assert.equal(second.sha256, first.sha256);
});

test('an archive whose verification finds errors is refused and removed, unless forced', {
  skip: process.platform === 'win32' && 'no such names there',
}, async () => {
  const folder = await folderWith({ ...september(), 'a\\..\\b.txt': 'x' });
  await assert.rejects(pack(folder), (error: UserError) => {
    assert.equal(error.kind, 'unfit');
    return true;
  });
  assert.ok(!(await readdir(folder)).includes('mine.tar'));
  const { findings } = await pack(folder, { force: true });
  assert.ok(findings.some(({ rule }) => rule === 'package-unsafe-path'));
});

test('an archive that is not read to its end is closed', {
  skip: process.platform !== 'linux' && 'only Linux lists open files in /proc',
}, async () => {
  const { file } = await pack(await folderWith({ ...efficiency(), 'a.txt': 'content' }));
  const bytes = await readFile(file);
  // The first local header no longer is one, so reading its entry throws.
  bytes.write('XX', bytes.indexOf('PK\x03\x04') + 2, 'latin1');
  const damaged = join(dirname(file), 'damaged.zip');
  await writeFile(damaged, bytes);
  await assert.rejects(verifyPackage(damaged), /damaged/);
  await new Promise((resolve) => setTimeout(resolve, 50));
  const { readlink } = process.getBuiltinModule('node:fs').promises;
  const open = await Promise.all(
    (await readdir('/proc/self/fd')).map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => '')),
  );
  assert.ok(!open.includes(damaged));
});
