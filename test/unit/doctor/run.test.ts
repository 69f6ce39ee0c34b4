import assert from 'node:assert/strict';
import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { UserError } from '../../../src/base/index.ts';
import { doctorRules, runDoctor, toSarif } from '../../../src/doctor/index.ts';
import { folderWith } from '../submission/folder.ts';
import { dockerfile, efficiency, findingsOn, places, serve } from './check.ts';

test('path-has-space, junk-in-context and weights-in-context', async () => {
  assert.deepEqual(await places('path-has-space', efficiency(), 'efficiency', 'my entry'), ['.:1']);
  assert.deepEqual(await places('path-has-space', efficiency(), 'efficiency', 'my_entry'), []);
  assert.deepEqual(await places('junk-in-context', efficiency({ '.DS_Store': '', 'a/.DS_Store': '' })), [
    '.:1',
  ]);
  assert.deepEqual(await places('junk-in-context', efficiency({ '.gitignore': '', '.env.example': '' })), []);
  const weights = new Uint8Array(20_000);
  assert.deepEqual(
    await places('weights-in-context', efficiency({ 'm/model.safetensors': weights, 'x.gguf': weights })),
    ['m/model.safetensors:1', 'x.gguf:1'],
  );
  assert.deepEqual(
    await places(
      'weights-in-context',
      efficiency({ 'm/model.safetensors.index.json': '{}', 'vocab.bin': 'small' }),
    ),
    [],
  );
});

test('errors come first, each with its reason and remedy', async () => {
  const findings = await findingsOn({ Dockerfile: 'FROM python\nCOPY gone.py .\n', '.DS_Store': '' });
  assert.deepEqual(
    findings.map(({ severity }) => severity),
    [...findings.map(({ severity }) => severity)].sort(
      (a, b) => ['error', 'warning', 'info'].indexOf(a) - ['error', 'warning', 'info'].indexOf(b),
    ),
  );
  for (const { why, fix, message } of findings) assert.ok(why && fix && message);
});

test('a folder is read from disk, links and unreadable things included', async () => {
  const folder = await folderWith(efficiency());
  await symlink('..', join(folder, 'loop'));
  await symlink('nowhere', join(folder, 'dangling'));
  const { findings, summary } = await runDoctor(folder);
  assert.deepEqual(findings, []);
  assert.deepEqual(summary, { error: 0, warning: 0, info: 0 });
});

test('what is no submission is refused', async () => {
  const folder = await folderWith({ 'README.md': '' });
  await assert.rejects(runDoctor(folder), (error: UserError) => error.kind === 'usage');
  await assert.rejects(runDoctor(join(folder, 'missing')), UserError);
  await assert.rejects(runDoctor(join(folder, 'README.md')), UserError);
  assert.ok((await runDoctor(folder, { kind: 'efficiency' })).summary.error > 0);
});

test('of several submissions below a folder one must be chosen', async () => {
  const two = Object.entries(efficiency()).flatMap(([name, content]) => [
    [`one/${name}`, content],
    [`two/${name}`, content],
  ]);
  const folder = await folderWith(Object.fromEntries(two));
  await assert.rejects(runDoctor(folder), /holds 2 submissions/);
});

test('a check can be stopped', async () => {
  const folder = await folderWith(efficiency());
  await assert.rejects(
    runDoctor(folder, { signal: AbortSignal.abort() }),
    (error: UserError) => error.kind === 'cancelled',
  );
});

test('wrong bytes, CRLF and byte-order marks are read', async () => {
  const crlf = dockerfile('COPY main.py .', serve.replace('80', '81')).replaceAll('\n', '\r\n');
  assert.deepEqual(await places('port-not-80', efficiency({ Dockerfile: crlf })), ['Dockerfile:4']);
  const wrong = Buffer.concat([Buffer.from('# caf\xe9\n', 'latin1'), Buffer.from('app = 1\n')]);
  assert.ok(Array.isArray(await findingsOn(efficiency({ 'main.py': wrong }))));
  const marked = `\ufeff${dockerfile('COPY main.py .', serve)}`;
  assert.deepEqual(await places('dockerfile-unknown-instruction', efficiency({ Dockerfile: marked })), []);
});

test('2,000 files are checked within two seconds of processor time', async () => {
  const files: Record<string, string> = {};
  for (let index = 0; index < 2000; index++)
    files[`src/part-${index}.py`] = `import os\n\ndef f${index}(x):\n    return x + ${index}\n`;
  const folder = await folderWith(efficiency(files));
  const before = process.cpuUsage();
  await runDoctor(folder);
  const { user, system } = process.cpuUsage(before);
  assert.ok(user + system < 2e6, `${(user + system) / 1e6} s`);
});

test('SARIF names every rule that found something', async () => {
  const findings = await findingsOn({ Dockerfile: 'FROM python\nCOPY gone.py .\n' });
  const sarif = toSarif({ findings, summary: { error: 0, warning: 0, info: 0 } }) as {
    version: string;
    runs: [
      {
        tool: { driver: { rules: { id: string }[] } };
        results: { ruleId: string; ruleIndex: number; level: string }[];
      },
    ];
  };
  assert.equal(sarif.version, '2.1.0');
  const [run] = sarif.runs;
  assert.equal(run.results.length, findings.length);
  for (const { ruleId, ruleIndex, level } of run.results) {
    assert.equal(run.tool.driver.rules[ruleIndex]?.id, ruleId);
    assert.match(level, /^(error|warning|note)$/);
  }
});

test('every rule has a name of its own, and says why, from where and what to do', () => {
  const ids = doctorRules.map(({ id }) => id);
  assert.equal(new Set(ids).size, ids.length);
  for (const { id, title, why, fix, source, kinds } of doctorRules) {
    assert.match(id, /^[a-z][a-z0-9-]+$/);
    assert.match(source, /^https:/);
    assert.ok(title && why && fix && kinds.length > 0, id);
    assert.ok(!title.endsWith('.'), id);
  }
});
