import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findSecrets } from '../../../src/doctor/index.ts';
import { efficiency, findingsOn, places, september } from './check.ts';

const token = `hf_${'aBcDeFgHiJkLmNoPqRsTuVwXyZqWeRtYuI'}`;
const key = '4f1e0c3ab2d95867f0e1d2c3b4a5968778695a4b';

test('a token is found in every kind of text, comments included, and never shown', async () => {
  const files = {
    'main.py': `# login("${token}")\n`,
    'notes.ipynb': JSON.stringify({ cells: [{ source: [`login(token='${token}')`] }] }, null, 1),
    '__pycache__/main.cpython-311.pyc': Buffer.concat([
      Buffer.from([0, 0, 13, 10, 0]),
      Buffer.from(token),
      Buffer.from([0]),
    ]),
    'deep/er/readme.md': `x\n\n\ntoken: ${token}`,
    Dockerfile: `FROM x:1\n# ENV TOKEN=${token}\nRUN huggingface-cli login --token ${token}\n`,
  };
  assert.deepEqual(await places('secret-hf-token', files), [
    'Dockerfile:2',
    'Dockerfile:3',
    '__pycache__/main.cpython-311.pyc:1',
    'deep/er/readme.md:4',
    'main.py:1',
    'notes.ipynb:5',
  ]);
  assert.ok(!JSON.stringify(await findingsOn(files)).includes(token.slice(8)));
  assert.deepEqual(await places('secret-hf-token', september({ 'x.py': `t = "${token}"` }), 'merging'), [
    'x.py:1',
  ]);
});

test('identifiers and placeholders are no tokens', () => {
  for (const text of [
    'hf_login',
    'hf_mistral = load()',
    'HUGGINGFACE_TOKEN="YOUR_TOKEN"',
    'hf_YOUR_TOKEN_HERE',
    'hf_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx',
    `hf_${'A1'.repeat(40)}`,
    `prefix_hf_${'aB1'.repeat(11)}`,
    'hf_tokenOfYourAccountGoesInThisPlace',
  ]) {
    assert.deepEqual(findSecrets(text), [], text);
  }
});

test('a key is 40 hexadecimal digits on a line about wandb; a commit is none', () => {
  assert.deepEqual(
    findSecrets(`a\nwandb.login(key="${key}")\nENV WANDB_API_KEY=${key}`).map(({ kind, line }) => [
      kind,
      line,
    ]),
    [
      ['wandb-key', 2],
      ['wandb-key', 3],
    ],
  );
  for (const text of [
    `pip install git+https://github.com/wandb/wandb.git@${key}`,
    `RUN git clone https://github.com/wandb/wandb && git checkout ${key}`,
    `"wandb commit": "${key}"`,
    `sha = "${key}"`,
    `wandb.log(hash="${key}ab")`,
  ]) {
    assert.deepEqual(findSecrets(text), [], text);
  }
});

test('a .env file with a credential is named besides the credential itself', async () => {
  const withEnv = (text: string, name = '.env') => places('secret-env-file', efficiency({ [name]: text }));
  assert.deepEqual(await withEnv(`A=1\nHF_TOKEN=${token}\n`), ['.env:2']);
  assert.deepEqual(await withEnv(`WANDB_API_KEY=${key}\n`, 'server/.env.local'), ['server/.env.local:1']);
  assert.deepEqual(await withEnv('HF_TOKEN=\nPORT=80\n'), []);
  assert.deepEqual(await withEnv(`HF_TOKEN=${token}`, 'environment.txt'), []);
});

test('binary files and those of a megabyte are not read', async () => {
  const binary = Buffer.concat([Buffer.alloc(100), Buffer.from(token)]);
  assert.deepEqual(await places('secret-hf-token', efficiency({ 'x.bin': binary })), []);
  const large = `${'x'.repeat(1024 * 1024)}\n${token}`;
  assert.deepEqual(await places('secret-hf-token', efficiency({ 'big.txt': large })), []);
});
