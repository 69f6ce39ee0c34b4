import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { UserError } from '../../../src/base/index.ts';
import { evaluate } from '../../../src/helm/index.ts';
import { startCannedServer } from './canned-server.ts';

test('a user’s own questions are asked from their file, with their ids, and bad lines are named', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'helm-own-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const suite = join(folder, 'mine.conf');
  const out = join(folder, 'out');
  await writeFile(suite, 'entries: [{description: "custom_mcqa:path=quiz.jsonl,num_train_instances=1"}]');
  const questions = join(folder, 'data/custom_mcqa');
  await mkdir(questions, { recursive: true });
  const line = (id: string, split: string, options: readonly string[]) =>
    JSON.stringify({
      input: { text: `Which one, ${id}?` },
      references: options.map((text, i) => ({ output: { text }, tags: i === 0 ? ['correct'] : [] })),
      split,
      id,
      extra: 1,
    });
  const lines = [
    line('t1', 'train', ['x', 'y']),
    line('q1', 'test', ['🙂', 'a', 'b', 'c', 'd']),
    line('q2', 'valid', ['same', 'same']),
  ];
  await writeFile(join(questions, 'quiz.jsonl'), lines.join('\r\n'));
  const server = await startCannedServer();
  t.after(() => server.close());
  const { url } = server;
  const { runs } = await evaluate(url, { suite, out, data: join(folder, 'data') });
  assert.equal(runs[0]?.instances, 2);
  const state = JSON.parse(await readFile(join(runs[0]?.folder ?? '', 'scenario_state.json'), 'utf8'));
  assert.deepEqual(
    state.request_states.map(({ instance }: { instance: { id: string } }) => instance.id),
    ['q1', 'q2'],
  );
  assert.match(state.request_states[0].request.prompt, /Answer: A\n\nQuestion: Which one, q1\?\nA\. 🙂\n/);
  await writeFile(join(questions, 'quiz.jsonl'), `${lines[0]}\n{"input": {"text": "raw \u2028 break"}}`);
  await assert.rejects(evaluate(url, { suite, out, data: join(folder, 'data') }), (error: unknown) => {
    assert.ok(error instanceof UserError);
    assert.equal(error.place.line, 2);
    assert.match(error.remedy ?? '', /U\+2028/);
    return true;
  });
  await rm(questions, { recursive: true });
  await assert.rejects(evaluate(url, { suite, out, data: join(folder, 'data') }), /no such file/);
});

test('metrics that need data of NLTK are left out, and that is said', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'helm-own-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const suite = join(folder, 'mine.conf');
  await writeFile(suite, 'entries: [{description: "simple_short_answer_qa:max_eval_instances=5"}]');
  const server = await startCannedServer();
  t.after(() => server.close());
  const { runs, warnings } = await evaluate(server.url, { suite, out: join(folder, 'out') });
  assert.ok(runs[0] && 'rouge_l' in runs[0].metrics && !('bleu_1' in runs[0].metrics));
  assert.match(warnings.join(), /simple_short_answer_qa.*bleu_1, bleu_4 left out/);
});
