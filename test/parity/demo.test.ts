import assert from 'node:assert/strict';
import { type ExecFileException, execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Tokenizer } from '@huggingface/tokenizers';
import { mediaPath } from '../../src/base/entries.ts';
import { everyCodePoint, nastyTexts } from '../unit/demo/texts.ts';

// The demo checkpoints as transformers and mergekit see them.

const python = process.env.SUBMISSION_STUDIO_PEERS;
const skip = python ? false : 'SUBMISSION_STUDIO_PEERS names no Python';
const tools = fileURLToPath(new URL('../../tools/demo/', import.meta.url));
const peers = fileURLToPath(new URL('demo/', import.meta.url));

const checkpoints = ['base', 'expert-1', 'expert-2'] as const;
const readJson = async (file: string) => JSON.parse(await readFile(mediaPath(`demo/${file}`), 'utf8'));

/** Runs a Python program that prints JSON. */
function ask(program: string, args: readonly string[] = [], input = ''): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const options = {
      maxBuffer: 2 ** 28,
      env: { ...process.env, PYTHONPATH: tools, PYTHONDONTWRITEBYTECODE: '1', HF_HUB_OFFLINE: '1' },
    };
    const ended = (error: ExecFileException | null, stdout: string, stderr: string) =>
      error ? reject(new Error(`${program}: ${stderr}`)) : resolve(JSON.parse(stdout));
    const child = execFile(python ?? '', [program, ...args], options, ended);
    // A program that fails early leaves its input unread; its exit code and stderr tell why.
    child.stdin?.on('error', () => {}).end(input);
  });
}

it('AutoTokenizer loads each tokenizer, keeps any text, and agrees with ours', { skip }, async () => {
  const texts = ['', ...nastyTexts(), ...everyCodePoint(5, 4096)];
  const folders = checkpoints.map((name) => mediaPath(`demo/${name}`));
  const answers = await ask(`${peers}round_trip.py`, folders, JSON.stringify(texts));
  const ours = new Tokenizer(
    await readJson('base/tokenizer.json'),
    await readJson('base/tokenizer_config.json'),
  );
  const ids = texts.map((text) => ours.encode(text).ids);
  const { eos_token_id: end, max_position_embeddings: longest } = await readJson('base/config.json');
  assert.deepEqual(
    answers,
    checkpoints.map(() => ({ ids, texts, end, longest })),
  );
});

it('the base was trained on no held-out word', { skip }, async () => {
  const trained = new Set((await ask(`${peers}trained_words.py`)) as string[]);
  assert.ok(trained.size > 1000);
  for (const { id } of (await readJson('demo.json')).tasks) {
    const lines = (await readFile(mediaPath(`demo/tasks/${id}.jsonl`), 'utf8')).trim().split('\n');
    const words = lines.map((line) => JSON.parse(line).input.text);
    assert.deepEqual(
      words.filter((word) => trained.has(word)),
      [],
    );
  }
});

it('mergekit merges the experts into what neither of them is', { skip }, async (t) => {
  type Score = { value: number; low: number; high: number };
  type Row = { row: string; task1: Score; task2: Score; mean: Score };
  const rows = (await ask(`${tools}evaluate.py`, ['--json'])) as Row[];
  for (const { row, task1, task2, mean } of rows)
    t.diagnostic(`${row}: ${task1.value} ${task2.value} ${mean.value} (${mean.low} to ${mean.high})`);
  assert.deepEqual(
    rows.map(({ row }) => row),
    [...checkpoints, 'merged'],
  );
  const [base, one, two, merged] = rows as [Row, Row, Row, Row];
  assert.ok(base.mean.value < 0.3, 'the base answers few');
  assert.ok(one.task1.value >= two.task1.value + 0.3, 'expert 1 leads at its own task');
  assert.ok(two.task2.value >= one.task2.value + 0.3, 'expert 2 leads at its own task');
  for (const { row, mean } of [base, one, two])
    assert.ok(merged.mean.low > mean.high, `the intervals of the merge and of ${row} are apart`);
});
