import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, cp, mkdir, readdir, readFile, rename, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { UserError } from '../../../src/base/index.ts';
import { pack, verifyPackage } from '../../../src/pack/index.ts';
import { readRecord, scaffold } from '../../../src/submission/index.ts';
import { efficiency, september } from '../doctor/check.ts';
import { folderWith } from '../submission/folder.ts';

const run = promisify(execFile);
const token = `hf_${'aBcDeFgHiJkLmNoPqRsTuVwXyZqWeRtYuI'}`;

/** What GNU or BSD tar lists; undefined on a machine without it. */
const tarList = (file: string) => run('tar', ['-tf', file]).then(({ stdout }) => stdout.trim().split('\n'));

test('a merging package is one tar whose root is LLM-Merging, whatever the folder is called', async () => {
  const folder = await folderWith(september());
  const made = await pack(folder);
  assert.equal(made.file, join(folder, 'mine.tar'));
  const listed = await tarList(made.file);
  assert.equal(listed[0], 'LLM-Merging/');
  assert.ok(listed.every((path) => path.startsWith('LLM-Merging/')));
  assert.deepEqual(
    listed.filter((path) => !path.endsWith('/')),
    made.entries.map(({ path }) => path),
  );
  const bytes = await readFile(made.file);
  assert.equal(made.bytes, bytes.length);
  assert.equal(made.sha256, createHash('sha256').update(bytes).digest('hex'));
  const { stdout } = await run('tar', ['-xOf', made.file, 'LLM-Merging/llm_merging/merging/Mine.py']);
  assert.equal(stdout, september()['llm_merging/merging/Mine.py']);
  assert.deepEqual((await readRecord(folder)).package?.sha256, made.sha256);
});

test('an efficiency package is a zip with one Dockerfile at its top', async () => {
  const folder = await folderWith({
    ...efficiency(),
    'Dockerfile.train': 'FROM python:3.11\n',
    'tools/Dockerfile': 'FROM python:3.11\n',
  });
  const made = await pack(folder);
  assert.match(made.file, /\.zip$/);
  assert.deepEqual(
    made.entries.map(({ path }) => path),
    ['Dockerfile', 'main.py'],
  );
  assert.deepEqual(
    made.leftOut.map(({ path, why }) => `${path}: ${why}`),
    ['Dockerfile.train: another Dockerfile', 'tools/Dockerfile: another Dockerfile'],
  );
  assert.deepEqual(
    (await verifyPackage(made.file)).entries.map(({ path }) => path),
    ['Dockerfile', 'main.py'],
  );
});

test('the folder form holds the same files', async () => {
  const folder = await folderWith({ ...efficiency(), 'Dockerfile.train': 'FROM python:3.11\n' });
  const { file, entries } = await pack(folder, { form: 'folder' });
  assert.deepEqual((await readdir(file)).sort(), ['Dockerfile', 'Dockerfile.train', 'main.py']);
  assert.equal(entries.length, 3);
  assert.equal(await readFile(join(file, 'main.py'), 'utf8'), efficiency()['main.py']);
});

test('what must not be sent stays, with the reason', async () => {
  const folder = await folderWith({
    ...september(),
    '.git/HEAD': 'x',
    '.submission/state.json': '{}',
    'benchmark_output/runs/x.json': '{}',
    '.venv/pyvenv.cfg': '',
    'my-env/pyvenv.cfg': '',
    'my-env/lib/x.py': '',
    'llm_merging/__pycache__/main.pyc': '',
    '.DS_Store': '',
    'output/m/safetensor.pt': 'w',
    'models/base/model.safetensors': 'w',
    'secret.txt': `token ${token}`,
    'notes/draft.md': '',
    'notes/keep.md': '',
    '.gitignore': 'secret.txt\noutput/\n',
    'notes/.gitignore': '*.md\n!keep.md\n',
  });
  const { leftOut, entries } = await pack(folder);
  assert.deepEqual(Object.fromEntries(leftOut.map(({ path, why }) => [path, why])), {
    '.DS_Store': 'leftover of an editor or system',
    '.git/': 'version control',
    '.submission/': 'records of Submission Studio',
    '.venv/': 'Python environment',
    'benchmark_output/': 'evaluation runs',
    'llm_merging/__pycache__/': 'cache',
    'models/': 'not for LLM Merging 2024',
    'my-env/': 'Python environment',
    'notes/draft.md': '.gitignore',
    'output/': 'not for LLM Merging 2024',
    'secret.txt': '.gitignore',
  });
  assert.ok(entries.some(({ path }) => path === 'LLM-Merging/notes/keep.md'));
});

test('the same input gives the same bytes, from another place, later and with other rights', async () => {
  for (const files of [september(), efficiency({ 'data/a b.txt': 'x' })]) {
    const folder = await folderWith(files);
    await chmod(join(folder, Object.keys(files)[0] ?? ''), 0o600);
    const first = await pack(folder);
    const second = await pack(folder);
    assert.equal(second.sha256, first.sha256);
    const copy = join(await folderWith({}), 'quite another name');
    await cp(folder, copy, { recursive: true });
    for (const path of Object.keys(files)) {
      await chmod(join(copy, path), 0o664);
      await utimes(join(copy, path), 1, 1);
    }
    const renamed = copy.replaceAll(' ', '-');
    await rename(copy, renamed);
    assert.equal((await pack(renamed, { out: join(renamed, 'elsewhere.bin') })).sha256, first.sha256);
  }
});

test('errors stop a package, force overrides them, a secret is refused always', async () => {
  const faulty = await folderWith({
    ...efficiency(),
    Dockerfile: 'FROM python:3.11\nCOPY gone.py .\nCMD ["uvicorn", "main:app", "--port", "80"]\n',
  });
  await assert.rejects(pack(faulty), (error: UserError) => {
    assert.equal(error.kind, 'unfit');
    assert.match(error.message, /Dockerfile:2/);
    return true;
  });
  assert.deepEqual((await readdir(faulty)).sort(), ['Dockerfile', 'main.py']);
  const forced = await pack(faulty, { force: true });
  assert.ok(forced.findings.some(({ rule }) => rule === 'dockerfile-copy-missing'));
  const leaky = await folderWith({ ...efficiency(), 'notes.txt': token });
  for (const force of [false, true]) {
    await assert.rejects(pack(leaky, { force }), (error: UserError) => {
      assert.equal(error.kind, 'unfit');
      assert.match(error.message, /notes\.txt:1/);
      assert.ok(!error.message.includes(token));
      return true;
    });
  }
  assert.deepEqual((await readdir(leaky)).sort(), ['Dockerfile', 'main.py', 'notes.txt']);
});

test('names, rights, links and long paths survive', async () => {
  const long = `${'deep/'.repeat(40)}${'n'.repeat(120)}.txt`;
  const folder = await folderWith({
    ...september(),
    'ünï çödé/日本語 😀.txt': 'x',
    [long]: 'y',
    'run.sh': '#!/bin/sh\n',
  });
  await chmod(join(folder, 'run.sh'), 0o755);
  await symlink('llm_merging/main.py', join(folder, 'link.py'));
  const { file } = await pack(folder);
  const out = await folderWith({});
  await run('tar', ['-xf', file, '-C', out]);
  const root = join(out, 'LLM-Merging');
  assert.equal(await readFile(join(root, 'ünï çödé/日本語 😀.txt'), 'utf8'), 'x');
  assert.equal(await readFile(join(root, long), 'utf8'), 'y');
  assert.equal(await readFile(join(root, 'link.py'), 'utf8'), september()['llm_merging/main.py']);
  const { stdout } = await run('tar', ['-tvf', file, 'LLM-Merging/run.sh', 'LLM-Merging/setup.py']);
  assert.deepEqual(
    stdout
      .trim()
      .split('\n')
      .map((line) => line.slice(0, 10)),
    ['-rwxr-xr-x', '-rw-r--r--'],
  );
  const { fit, findings } = await verifyPackage(file);
  assert.deepEqual(
    findings.filter(({ severity }) => severity === 'error'),
    [],
  );
  assert.equal(fit, true);
});

test('a link that leads out is refused by its name', async () => {
  for (const target of ['../outside.txt', '/etc/passwd', 'llm_merging/../../x']) {
    const folder = await folderWith(september());
    await symlink(target, join(folder, 'link'));
    await assert.rejects(
      pack(folder),
      (error: UserError) => error.kind === 'usage' && error.place.file === 'link',
    );
  }
});

test('a name that is not UTF-8 is refused and printed escaped', {
  skip: process.platform !== 'linux' && 'only Linux has such names',
}, async () => {
  const folder = await folderWith(september());
  await writeFile(
    Buffer.concat([Buffer.from(`${folder}/caf`), Buffer.from([0xe9]), Buffer.from('.txt')]),
    '',
  );
  await assert.rejects(pack(folder), (error: UserError) => {
    assert.match(error.place.file ?? '', /caf\\+xe9\.txt/);
    return true;
  });
});

test('a package that is cancelled leaves nothing', async () => {
  for (const files of [september(), efficiency()]) {
    const folder = await folderWith({ ...files, 'big.dat': new Uint8Array(6e6) });
    const controller = new AbortController();
    await assert.rejects(
      pack(folder, {
        signal: controller.signal,
        onProgress: ({ message }) => {
          if (message === 'big.dat') controller.abort();
        },
      }),
      (error: UserError) => error.kind === 'cancelled',
    );
    assert.deepEqual(
      (await readdir(folder)).filter((name) => /\.(tar|zip|tmp)$/.test(name)),
      [],
    );
  }
});

test('a file that grows while it is packed is named, and nothing is left', async () => {
  for (const files of [september(), efficiency()]) {
    const folder = await folderWith({ ...files, 'log.txt': 'x'.repeat(5e6) });
    const grow = pack(folder, {
      onProgress: ({ message }) => {
        // Synchronous, so that it happens before the file is read.
        if (message === 'log.txt')
          process.getBuiltinModule('node:fs').appendFileSync(join(folder, 'log.txt'), 'more');
      },
    });
    await assert.rejects(
      grow,
      (error: UserError) => error.kind === 'work' && /log\.txt$/.test(error.place.file ?? ''),
    );
    assert.ok(!(await readdir(folder)).some((name) => name.endsWith('.tar') || name.endsWith('.tmp')));
  }
});

test('a place that cannot be written, and a folder that is none', async () => {
  const folder = await folderWith(september());
  await assert.rejects(pack(folder, { out: join(folder, 'setup.py', 'x.tar') }), UserError);
  await assert.rejects(pack(join(folder, 'missing')), UserError);
  await assert.rejects(pack(await folderWith({ 'README.md': '' })), /no submission/);
});

test('an earlier package is no part of the next one, wherever it lies in the folder', async () => {
  const folder = await folderWith(september());
  await mkdir(join(folder, 'sent'));
  await pack(folder, { out: join(folder, 'sent', 'first.tar') });
  const { entries } = await pack(folder);
  assert.ok(!entries.some(({ path }) => path.endsWith('.tar')));
  const third = await pack(folder, { form: 'zip' });
  assert.ok(!third.entries.some(({ path }) => /\.(tar|zip)$/.test(path) && !path.includes('sent')));
});

test('the demo submission packs without its models', async () => {
  const folder = join(await folderWith({}), 'demo');
  await scaffold({ kind: 'merging', folder, demo: true });
  const made = await pack(folder);
  assert.equal(made.file, join(folder, 'recipe_merge.tar'));
  assert.ok(made.bytes < 100_000);
  assert.deepEqual(made.findings, []);
  assert.ok(made.leftOut.some(({ path }) => path === 'models/'));
});
