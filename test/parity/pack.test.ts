import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, readFile, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { pack, verifyPackage } from '../../src/pack/index.ts';
import { efficiency, september } from '../unit/doctor/check.ts';
import { folderWith } from '../unit/submission/folder.ts';

const python = process.env.SUBMISSION_STUDIO_PEERS;
const skip = python === undefined && 'SUBMISSION_STUDIO_PEERS names no Python';
const run = promisify(execFile);

/** Files, rights and hashes as Python reads them from an archive. */
const listing = `import hashlib, json, sys, tarfile, zipfile
path = sys.argv[1]
found = {}
if tarfile.is_tarfile(path):
    with tarfile.open(path) as archive:
        for member in archive:
            if member.isfile():
                found[member.name] = [hashlib.sha256(archive.extractfile(member).read()).hexdigest(), member.mode & 0o777, member.uid]
            elif member.issym():
                found[member.name] = ['link', member.linkname, 0]
else:
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        for member in archive.infolist():
            if not member.is_dir():
                found[member.filename] = [hashlib.sha256(archive.read(member)).hexdigest(), member.external_attr >> 16 & 0o777, 0]
print(json.dumps(found))`;

const read = async (file: string): Promise<Record<string, [string, number | string, number]>> =>
  JSON.parse((await run(python ?? '', ['-c', listing, file])).stdout);

const hash = (content: string | Uint8Array) => createHash('sha256').update(content).digest('hex');

test('Python’s tarfile reads what was packed', { skip }, async () => {
  const long = `${'deep/'.repeat(30)}${'n'.repeat(150)}.txt`;
  const files = { ...september(), 'ünï/日本語 😀.txt': 'x', [long]: 'y', 'run.sh': '#!/bin/sh\n' };
  const folder = await folderWith(files);
  await chmod(join(folder, 'run.sh'), 0o700);
  await symlink('setup.py', join(folder, 'link'));
  const { file } = await pack(folder);
  const expected = Object.fromEntries(
    Object.entries(files).map(([path, content]) => [
      `LLM-Merging/${path}`,
      [hash(content), path === 'run.sh' ? 0o755 : 0o644, 0],
    ]),
  );
  assert.deepEqual(await read(file), { ...expected, 'LLM-Merging/link': ['link', 'setup.py', 0] });
});

test('Python’s zipfile reads what was packed', { skip }, async () => {
  const files = efficiency({ 'ünï/日本語 😀.txt': 'x' });
  const { file } = await pack(await folderWith(files));
  const expected = Object.entries(files).map(([path, content]) => [path, [hash(content), 0o644, 0]]);
  assert.deepEqual(await read(file), Object.fromEntries(expected));
});

test('archives that Python wrote are verified', { skip }, async () => {
  const folder = await folderWith(
    Object.fromEntries(Object.entries(september()).map(([path, text]) => [`LLM-Merging/${path}`, text])),
  );
  const script = `import tarfile
for name, mode, form in [('pax.tar', 'w', tarfile.PAX_FORMAT), ('gnu.tar', 'w', tarfile.GNU_FORMAT), ('x.tar.gz', 'w:gz', tarfile.USTAR_FORMAT)]:
    with tarfile.open(name, mode, format=form) as archive:
        archive.add('LLM-Merging')`;
  await run(python ?? '', ['-c', script], { cwd: folder });
  for (const name of ['pax.tar', 'gnu.tar', 'x.tar.gz']) {
    const { fit, entries } = await verifyPackage(join(folder, name));
    assert.equal(fit, true, name);
    const setup = entries.find(({ path }) => path === 'LLM-Merging/setup.py');
    assert.equal(setup?.sha256, hash(await readFile(join(folder, 'LLM-Merging/setup.py'))));
  }
});
