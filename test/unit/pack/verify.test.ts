import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { appendFile, mkdir, readFile, rename, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { pack as tarPack } from 'tar-stream';
import { ZipFile } from 'yazl';
import { UserError } from '../../../src/base/index.ts';
import { pack, verifyPackage } from '../../../src/pack/index.ts';
import { efficiency, september } from '../doctor/check.ts';
import { folderWith } from '../submission/folder.ts';

const run = promisify(execFile);
const rules = async (file: string) =>
  (await verifyPackage(file)).findings
    .filter(({ severity }) => severity === 'error')
    .map(({ rule, file: path }) => `${rule} ${path}`);

/** A tar with entries as they are given, sane or not. */
async function tarOf(
  entries: readonly {
    name: string;
    content?: string;
    type?: 'symlink' | 'link' | 'fifo';
    linkname?: string;
  }[],
) {
  const folder = await folderWith({});
  const archive = tarPack();
  for (const { name, content = '', type = 'file', linkname } of entries) {
    archive.entry({ name, type, ...(linkname === undefined ? {} : { linkname }) }, content);
  }
  archive.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of archive) chunks.push(chunk as Buffer);
  const file = join(folder, 'x.tar');
  await writeFile(file, Buffer.concat(chunks));
  return file;
}

/** A deflated zip with entries in the given order; names may be replaced afterwards by others of the same length. */
async function zipOf(
  files: Readonly<Record<string, string | Uint8Array>>,
  renames: Readonly<Record<string, string>> = {},
) {
  const archive = new ZipFile();
  for (const [path, content] of Object.entries(files))
    archive.addBuffer(Buffer.from(content), path, { compress: true });
  archive.end();
  const chunks: Buffer[] = [];
  for await (const chunk of archive.outputStream) chunks.push(chunk as Buffer);
  let bytes = Buffer.concat(chunks).toString('latin1');
  for (const [from, to] of Object.entries(renames)) bytes = bytes.replaceAll(from, to);
  const file = join(await folderWith({}), 'x.zip');
  await writeFile(file, bytes, 'latin1');
  return file;
}

const below = (root: string, files: Readonly<Record<string, string | Uint8Array>>) =>
  Object.fromEntries(Object.entries(files).map(([path, content]) => [`${root}/${path}`, content]));

const kit = Object.entries(september()).map(([path, content]) => ({ name: `LLM-Merging/${path}`, content }));

test('archives that other programs made are read like our own', async () => {
  const parent = await folderWith(
    Object.fromEntries(Object.entries(september()).map(([path, text]) => [`LLM-Merging/${path}`, text])),
  );
  for (const [name, flags] of [
    ['plain.tar', '-cf'],
    ['packed.tar.gz', '-czf'],
  ] as const) {
    await run('tar', [flags, name, 'LLM-Merging'], { cwd: parent });
    const { fit, root, entries } = await verifyPackage(join(parent, name));
    assert.equal(fit, true, name);
    assert.equal(root, 'LLM-Merging');
    assert.equal(entries.length, Object.keys(september()).length);
  }
  const verified = await verifyPackage(await zipOf(below('entry', efficiency())));
  assert.equal(verified.root, 'entry');
  assert.equal(verified.fit, true);
});

test('the kit’s root must keep its name', async () => {
  const renamed = kit.map(({ name, content }) => ({
    name: name.replace('LLM-Merging/', 'my-fork/'),
    content,
  }));
  assert.deepEqual(await rules(await tarOf(renamed)), ['merge-root-renamed .']);
  const bare = kit.map(({ name, content }) => ({ name: name.replace('LLM-Merging/', ''), content }));
  assert.deepEqual(await rules(await tarOf(bare)), ['merge-root-renamed .']);
  const inner = kit
    .filter(({ name }) => name.includes('/llm_merging/'))
    .map(({ name, content }) => ({
      name: name.replace('LLM-Merging/llm_merging/', 'LLM-Merging/'),
      content,
    }));
  assert.deepEqual(await rules(await tarOf(inner)), ['merge-package-missing .']);
});

test('a zip must hold one Dockerfile, and the doctor reads what is in it', async () => {
  assert.deepEqual(await rules(await zipOf(below('entry', efficiency({ 'b/Dockerfile': 'FROM x:1' })))), [
    'package-one-dockerfile .',
  ]);
  const { Dockerfile: _, ...without } = efficiency();
  assert.deepEqual(await rules(await zipOf(below('entry', without))), [
    'package-one-dockerfile .',
    'dockerfile-name .',
  ]);
  const leaky = efficiency({ 'notes.txt': `hf_${'aBcDeFgHiJkLmNoPqRsTuVwXyZqWeRtYuI'}` });
  assert.deepEqual(await rules(await zipOf(below('entry', leaky))), ['secret-hf-token notes.txt']);
});

test('a hostile tar is seen through, and nothing is unpacked', async () => {
  const hostile = await tarOf([
    ...kit,
    { name: 'LLM-Merging/../../evil.txt', content: 'x' },
    { name: '/etc/evil', content: 'x' },
    { name: 'LLM-Merging/link', type: 'symlink', linkname: '../../etc/passwd' },
    { name: 'LLM-Merging/absolute', type: 'symlink', linkname: '/etc/passwd' },
    { name: 'LLM-Merging/hard', type: 'link', linkname: '../outside' },
    { name: 'LLM-Merging/pipe', type: 'fifo' },
    { name: 'LLM-Merging/setup.py', content: 'again' },
  ]);
  const { fit, findings } = await verifyPackage(hostile);
  assert.equal(fit, false);
  const found = findings.map(({ rule, file }) => `${rule} ${file}`);
  for (const expected of [
    'package-unsafe-path LLM-Merging/../../evil.txt',
    'package-unsafe-path /etc/evil',
    'package-link-outside LLM-Merging/link',
    'package-link-outside LLM-Merging/absolute',
    'package-link-outside LLM-Merging/hard',
    'package-special-file LLM-Merging/pipe',
    'package-duplicate-entry LLM-Merging/setup.py',
  ])
    assert.ok(found.includes(expected), `${expected} in ${found.join(', ')}`);
});

test('a hostile zip is seen through as well', async () => {
  const files = { Dockerfile: 'FROM x:1', aaaevil: '', aabs: '', 'Main.py': '', 'main.py': '' };
  const file = await zipOf(files, { aaaevil: '../evil', aabs: '/abs' });
  const found = (await verifyPackage(file)).findings.map(({ rule, file: path }) => `${rule} ${path}`);
  assert.ok(found.includes('package-unsafe-path ../evil'), found.join(', '));
  assert.ok(found.includes('package-unsafe-path /abs'));
  assert.ok(found.includes('package-case-clash main.py'));
});

test('links inside the archive are no fault', async () => {
  const fine = await tarOf([
    ...kit,
    { name: 'LLM-Merging/a/link', type: 'symlink', linkname: '../setup.py' },
  ]);
  assert.deepEqual(await rules(fine), []);
});

test('a bomb is not unpacked to its end', async () => {
  const bomb = await zipOf({ zeros: new Uint8Array(150 * 1024 * 1024) });
  await assert.rejects(
    verifyPackage(bomb),
    (error: UserError) => error.kind === 'usage' && /proportion/.test(error.message),
  );
});

test('a damaged archive, and what is none, is a usage error with the file', async () => {
  const folder = await folderWith(september());
  const { file } = await pack(folder);
  const cut = join(folder, 'cut.tar');
  await writeFile(cut, await readFile(file));
  await truncate(cut, 3000);
  const zip = join(await folderWith({}), 'x.zip');
  await writeFile(zip, 'PK\x03\x04 and nothing more');
  const empty = join(await folderWith({ 'x.tar': '' }), 'x.tar');
  const text = join(await folderWith({ 'x.tar': 'hello' }), 'x.tar');
  for (const path of [cut, zip, empty, text, join(folder, 'missing.tar')]) {
    await assert.rejects(
      verifyPackage(path),
      (error: UserError) => error instanceof UserError && error.kind === 'usage' && error.place.file === path,
      path,
    );
  }
});

test('bytes that differ from what was packed are found', async () => {
  const folder = await folderWith(september());
  const { file } = await pack(folder);
  const expected = new Map([
    ['LLM-Merging/setup.py', 'other'],
    ['LLM-Merging/gone.py', 'x'],
  ]);
  const { findings } = await verifyPackage(file, { expected });
  const altered = findings.filter(({ rule }) => rule === 'package-altered').map(({ file: path }) => path);
  assert.ok(altered.includes('LLM-Merging/setup.py') && altered.includes('LLM-Merging/gone.py'));
});

test('an empty archive is not fit', async () => {
  const file = await tarOf([]);
  await appendFile(file, '');
  await assert.rejects(verifyPackage(file), UserError);
  const folder = await folderWith({});
  await mkdir(join(folder, 'LLM-Merging'));
  await symlink('nothing', join(folder, 'LLM-Merging', 'x'));
  await run('tar', ['-cf', 'x.tar', 'LLM-Merging'], { cwd: folder });
  await rename(join(folder, 'x.tar'), join(folder, 'y.tar'));
  assert.ok((await rules(join(folder, 'y.tar'))).includes('package-empty .'));
});
