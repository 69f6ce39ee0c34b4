import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { runCli } from '../../support/cli.ts';

let folder = '';
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cli-'));
});
after(() => rm(folder, { recursive: true }));

test('help and version go to stdout with exit code 0', async () => {
  const help = await runCli(['--help']);
  assert.equal(help.code, 0);
  for (const verb of [
    'init',
    'detect',
    'merge',
    'inspect',
    'serve',
    'check',
    'prompts',
    'eval',
    'scores',
    'doctor',
    'pack',
    'tracks',
    'demo',
  ]) {
    assert.match(help.stdout, new RegExp(`^  ${verb}\\b`, 'm'));
    const verbHelp = await runCli([verb, '--help']);
    assert.equal(verbHelp.code, 0, verb);
    assert.match(verbHelp.stdout, /Usage: /, verb);
  }
  const version = await runCli(['--version']);
  assert.match(version.stdout, /^\d+\.\d+\.\d+\n$/);
});

test('wrong usage exits with 2 and names the argument', async () => {
  for (const [args, named] of [
    [['frobnicate'], /frobnicate/],
    [['merge', 'recipe.yml'], /out/],
    [['init', 'sculpture', 'x'], /sculpture/],
    [['serve', 'x', '--port', '70000'], /--port/],
    [['merge', 'a', 'b', '--workers', 'many'], /--workers/],
    [['merge', 'a', 'b', '--max-shard-size', '5 apples'], /--max-shard-size/],
    [['merge', 'a', 'b', '--max-shard-size', '0'], /above zero/],
    [['pack'], /folder to pack or --verify/],
    [['prompts', '--conf'], /--conf/],
    [['eval', 'http://127.0.0.1:1', '--suite', 'sample', '--conf', 'x'], /--conf/],
  ] as const) {
    const { code, stdout, stderr } = await runCli(args, { cwd: folder });
    assert.equal(code, 2, `${args.join(' ')}: ${stderr}`);
    assert.match(stderr, named, args.join(' '));
    assert.equal(stdout, '', args.join(' '));
  }
});

test('unusable input exits with 2, names the file, shows no stack and writes nothing', async () => {
  await writeFile(join(folder, 'broken.yml'), 'merge_method: [linear\n');
  await writeFile(join(folder, 'unknown.yml'), 'merge_method: blend\nmodels:\n  - model: nowhere\n');
  const before = await readdir(folder);
  for (const [args, named] of [
    [['merge', 'absent.yml', 'out'], /absent\.yml/],
    [['merge', 'broken.yml', 'out'], /broken\.yml:\d/],
    [['merge', 'unknown.yml', 'out'], /unknown\.yml:1.*blend/],
    [['inspect', 'nowhere'], /nowhere/],
    [['serve', 'nowhere'], /nowhere: .*no such file or folder/],
    [['detect', 'nowhere'], /nowhere/],
    [['doctor', 'nowhere'], /nowhere/],
    [['pack', 'nowhere'], /nowhere/],
    [['pack', '--verify', 'nowhere.tar'], /nowhere\.tar/],
    [['prompts', '--conf', 'nowhere.conf'], /nowhere\.conf/],
    [['check', 'http://127.0.0.1:1'], /127\.0\.0\.1:1/],
    [['eval', 'http://127.0.0.1:1'], /127\.0\.0\.1:1/],
    [['check', 'not a url'], /not a url/],
    [['scores', '--out', 'nowhere'], /nowhere/],
  ] as const) {
    const { code, stdout, stderr } = await runCli(args, { cwd: folder });
    assert.equal(code, 2, `${args.join(' ')}: ${stderr}`);
    assert.match(stderr, named, args.join(' '));
    assert.doesNotMatch(stderr, /^\s+at /m, args.join(' '));
    assert.equal(stdout, '', args.join(' '));
  }
  assert.deepEqual(await readdir(folder), before);
});

test('a submission that is not fit exits with 1; a package that was made names its fields when it is verified', async () => {
  const init = await runCli(['init', 'merging', 'entry'], { cwd: folder });
  assert.equal(init.code, 0, init.stderr);
  const packed = await runCli(['pack', 'entry', '--out', 'entry.tar', '--json'], { cwd: folder });
  assert.equal(packed.code, 0, packed.stderr);
  const verified = await runCli(['pack', '--verify', 'entry.tar', '--json'], { cwd: folder });
  assert.equal(verified.code, 0, verified.stderr);
  const [made, read] = [packed, verified].map(({ stdout }) => JSON.parse(stdout));
  for (const field of ['file', 'sha256', 'bytes']) assert.equal(read[field], made[field], field);
  assert.equal(read.fit, true);
  assert.ok(Array.isArray(read.entries) && Array.isArray(read.leftOut) && Array.isArray(read.findings));

  await writeFile(join(folder, 'entry', 'notes.txt'), `token hf_${'a1B2c3D4'.repeat(5).slice(0, 34)}\n`);
  const leaky = await runCli(['pack', 'entry', '--out', 'leaky.tar', '--force'], { cwd: folder });
  assert.equal(leaky.code, 1, leaky.stderr);
  assert.match(leaky.stderr, /notes\.txt:1/);
  assert.ok(!(await readdir(folder)).includes('leaky.tar'));
});

test('a package that was forced in spite of errors is made and exits with 1', async () => {
  const init = await runCli(['init', 'efficiency', 'faulty'], { cwd: folder });
  assert.equal(init.code, 0, init.stderr);
  await writeFile(join(folder, 'faulty', 'Dockerfile'), 'FROM python:3.11\nCOPY gone.py .\n');
  const forced = await runCli(['pack', 'faulty', '--out', 'faulty.zip', '--force'], { cwd: folder });
  assert.equal(forced.code, 1, forced.stderr);
  assert.match(forced.stdout, /packed/);
  assert.ok((await readdir(folder)).includes('faulty.zip'));
});

test('a demo replaces an earlier demo only', async () => {
  const init = await runCli(['init', 'merging', 'mine', '--demo'], { cwd: folder });
  assert.equal(init.code, 0, init.stderr);
  const demo = await runCli(['demo', 'mine'], { cwd: folder });
  assert.equal(demo.code, 2);
  assert.match(demo.stderr, /mine: The folder is not empty/);
});

test('predict says within seconds that an endpoint does not answer', async (t) => {
  const csv = join(folder, 'x.csv');
  await writeFile(csv, 'instruction,input,data_type\nq,a,generation\n');
  const silent = createServer();
  await new Promise<void>((resolve) => {
    silent.listen(0, '127.0.0.1', resolve);
  });
  t.after(() => silent.close());
  for (const port of [1, (silent.address() as AddressInfo).port]) {
    const url = `http://127.0.0.1:${port}`;
    const from = performance.now();
    const { code, stderr } = await runCli(['predict', url, '--csv', csv, '--out', join(folder, 'y.csv')]);
    assert.equal(code, 2, stderr);
    assert.ok(stderr.includes(`The endpoint ${url} does not answer`), stderr);
    assert.ok(performance.now() - from < 15_000);
  }
});
