import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { mediaPath } from '../../src/base/index.ts';
import { checkpointSource } from '../../src/cli/answer-sources.ts';
import { kitScorings, predict } from '../../src/helm/index.ts';
import { plainRouge } from '../../src/helm/metrics/rouge.ts';

// The merging kit's evaluation against torch and transformers, and its ROUGE against rouge-score.

const python = process.env.SUBMISSION_STUDIO_PEERS;

/** The log-probabilities of choices and the texts that the kit's rules give, straight from the model's logits. */
const reference = `
import json, sys, torch
from transformers import AutoModelForCausalLM, AutoTokenizer
from rouge_score import rouge_scorer
folder, rows, texts = sys.argv[1], json.loads(sys.argv[2]), json.loads(sys.argv[3])
tokenizer = AutoTokenizer.from_pretrained(folder)
model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
out = {"choices": [], "texts": [], "rouge": []}
with torch.inference_mode():
    for text, choices in rows:
        prompt = tokenizer(text).input_ids
        scores = []
        for choice in choices:
            target = tokenizer(choice, add_special_tokens=False).input_ids + [tokenizer.eos_token_id]
            logits = model(torch.tensor([prompt + target])).logits[0].double().log_softmax(-1)
            scores.append([logits[len(prompt) + i - 1, id].item() for i, id in enumerate(target)])
        out["choices"].append(scores)
        ids = model.generate(torch.tensor([prompt]), attention_mask=torch.ones(1, len(prompt)), max_new_tokens=12, do_sample=False, pad_token_id=tokenizer.eos_token_id)
        out["texts"].append(tokenizer.decode(ids[0, len(prompt):], skip_special_tokens=True))
names = ["rouge1", "rouge2", "rougeL", "rougeLsum"]
scorer = rouge_scorer.RougeScorer(names, use_stemmer=False)
for gold, prediction in texts:
    out["rouge"].append([scorer.score(gold, prediction)[name].fmeasure for name in names])
print(json.dumps(out))
`;

const rows = [
  ['reverse: garden\n', ['A', 'B', 'C', 'D']],
  ['Say "x": é🙂\n', ['nedrag', 'garden gate', '', 'ga']],
  ['a', ['one', 'two words', 'three of them', 'b', 'c', 'd', 'e', 'f']],
] as const;

const texts = [
  ['The runners ran.\nThey won the race.', 'runners won\nthe race they ran\n\nthe the'],
  ['a b c d e f', 'a c b\nd f e'],
  ['one line', ''],
  ['The Cats, cats & CATS', 'cats cats dogs\ncats'],
  ['x y\nz x y', 'y x\nx y z\nz'],
] as const;

test('predict scores, generates and measures as torch and rouge-score do', {
  timeout: 180_000,
}, async (t) => {
  if (!python) return t.skip('SUBMISSION_STUDIO_PEERS is not set');
  const folder = mediaPath('demo/base');
  const { stdout } = await promisify(execFile)(
    python,
    ['-c', reference, folder, JSON.stringify(rows), JSON.stringify(texts)],
    { env: { ...process.env, HF_HUB_OFFLINE: '1' }, maxBuffer: 2 ** 24 },
  );
  const expected = JSON.parse(stdout) as { choices: number[][][]; texts: string[]; rouge: number[][] };
  const { signal } = new AbortController();
  const source = await checkpointSource(folder, signal);
  const out = await mkdtemp(join(tmpdir(), 'predict-parity-'));
  try {
    let largest = 0;
    for (const [index, [input, choices]] of rows.entries()) {
      const scores = await source.choices(input, choices, signal);
      for (const [i, { tokens, end }] of scores.entries()) {
        const theirs = expected.choices[index]?.[i] ?? [];
        assert.equal(tokens.length + 1, theirs.length);
        [...tokens, end ?? Number.NaN].forEach((logprob, at) => {
          const difference = Math.abs(logprob - (theirs[at] ?? Number.NaN));
          assert.ok(difference < 1e-3, `${logprob} is not ${theirs[at]}`);
          largest = Math.max(largest, difference);
        });
      }
      assert.equal(await source.generate(input, 12, signal), expected.texts[index]);
    }
    t.diagnostic(`largest difference of a log-probability: ${largest.toExponential(1)}`);

    // The whole way: what is predicted is the largest of the reference's own sums.
    const file = join(out, 'rows.jsonl');
    await writeFile(
      file,
      rows.map(([input, choices]) => JSON.stringify({ input, answer_choices: choices })).join('\n'),
    );
    const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
    for (const scoring of kitScorings) {
      await predict([file], join(out, 'out.csv'), source, { scoring, maxGenLen: 4 });
      const answers = (await readFile(join(out, 'out.csv'), 'utf8')).trim().split('\n').slice(1);
      const best = expected.choices.map((scores, row) => {
        const sums = scores.map((logprobs, i) => {
          const bytes = Buffer.byteLength(rows[row]?.[1][i] ?? '');
          if (scoring === 'kit') return sum(logprobs.slice(1));
          return sum(logprobs.slice(0, -1)) / (scoring === 'loglikelihood' ? 1 : Math.max(1, bytes));
        });
        return sums.indexOf(Math.max(...sums));
      });
      assert.deepEqual(
        answers.map((line) => Number(line.split(',')[1])),
        best,
        scoring,
      );
    }
  } finally {
    await source.close();
    await rm(out, { recursive: true, force: true });
  }
  for (const [index, [gold, prediction]] of texts.entries()) {
    const scores = plainRouge(gold, prediction);
    const ours = [scores.rouge_1(), scores.rouge_2(), scores.rouge_l(), scores.rouge_lsum()];
    expected.rouge[index]?.forEach((value, i) => {
      assert.ok(
        Math.abs((ours[i] ?? Number.NaN) - value) < 1e-12,
        `${gold} ${i}: ${ours[i]} is not ${value}`,
      );
    });
  }
});
