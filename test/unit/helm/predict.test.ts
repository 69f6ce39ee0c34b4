import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { UserError } from '../../../src/base/index.ts';
import { endpointSource } from '../../../src/cli/answer-sources.ts';
import { type AnswerSource, kitScorings, predict } from '../../../src/helm/index.ts';
import { readKitRows } from '../../../src/helm/predict/rows.ts';
import { parseStringList } from '../../../src/helm/python/literal.ts';
import { pieces, startCannedServer } from './canned-server.ts';

async function folder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'helm-predict-'));
  t.after(() => rm(path, { recursive: true, force: true }));
  return path;
}

test('lists of strings are read as Python writes them, and nothing else is', () => {
  assert.deepEqual(parseStringList(String.raw`['a', "b's", 'c\'d\n\\', '\xe9\u20ac\U0001f642\101\q', ]`), [
    'a',
    "b's",
    "c'd\n\\",
    'é€🙂A\\q',
  ]);
  assert.deepEqual(parseStringList(' ( "x" , ) '), ['x']);
  assert.deepEqual(parseStringList('[]'), []);
  for (const bad of ["['a' 'b']", "['a', open('x')]", "['a'", "['a\nb']", '[1]', "[,'a']", "['a',,]", ''])
    assert.throws(() => parseStringList(bad), SyntaxError, bad);
});

test('rows are read by the header, and lines of the first kit by their keys', async (t) => {
  const path = await folder(t);
  const csv = join(path, 'test.csv');
  await writeFile(
    csv,
    '\ufeffid,input,eval_type,answer_choices\r\n7,"two\r\nlines, ""said""",multiple_choice,"[\'A\', \'B\']"\r\n8,x,generation,None\r\n',
  );
  const rows = await readKitRows(csv);
  assert.deepEqual(
    rows.map(({ place, ...row }) => [row, place.line]),
    [
      [{ id: '7', input: 'two\nlines, "said"', choices: ['A', 'B'] }, 2],
      [{ id: '8', input: 'x', choices: [] }, 4],
    ],
  );
  const lines = join(path, 'cosmos_qa.json');
  const first = { input: 'q', answer_choices: ['no', 'yes'], target: 'yes' };
  await writeFile(lines, `${JSON.stringify(first)}\n\n{"input": "s", "target": "summary"}\n`);
  assert.deepEqual(
    (await readKitRows(lines)).map(({ id, choices, target }) => [id, choices.length, target]),
    [
      ['0', 2, 1],
      ['2', 0, 'summary'],
    ],
  );
});

test('unusable rows are told with file, line and field', async (t) => {
  const file = join(await folder(t), 'data.csv');
  const header = 'id,input,target,answer_choices,eval_type\n';
  const cases: readonly (readonly [content: string, message: RegExp, line?: number, field?: string])[] = [
    ['', /no column `input`/, 1],
    ['id,question\n1,2\n', /no column `input`/, 1],
    [header, /no rows/],
    [`${header}1,a,b\n`, /3 fields, the header 5/, 2],
    [`${header}1,a,0,"[x]",multiple_choice\n`, /no list of strings/, 2, 'answer_choices'],
    [`${header}1,a,2,"['x', 'y']",multiple_choice\n`, /none of the 2 choices/, 2, 'target'],
    [`${header}1,a,,,multiple_choice\n`, /no choices/, 2, 'answer_choices'],
    [`${header}1,a,b,,essay\n`, /eval_type|row/i, 2],
  ];
  for (const [content, message, line, field] of cases) {
    await writeFile(file, content);
    await assert.rejects(readKitRows(file), (error: unknown) => {
      assert.ok(error instanceof UserError, content);
      assert.match(error.message, message);
      assert.equal(error.place.file, file);
      assert.equal(error.place.line, line, content);
      if (field) assert.equal(error.place.field, field);
      return error.kind === 'usage';
    });
  }
  await assert.rejects(readKitRows(join(file, 'none.csv')), UserError);
});

/** Answers with numbers that tell the three ways of scoring apart. */
const numbers: AnswerSource = {
  scorings: kitScorings,
  choices: async () => [
    { tokens: [-9, -1], end: -1 },
    { tokens: [-2, -3], end: -4 },
    { tokens: [-4, -4], end: -9 },
  ],
  generate: async (input, maxTokens) => `${input} ${maxTokens}`,
};

test('each scoring compares what it says, and the others are shown beside it', async (t) => {
  const path = await folder(t);
  const file = join(path, 'in.csv');
  const out = join(path, 'submission.csv');
  await writeFile(
    file,
    `id,input,target,answer_choices,eval_type\nx,q,0,"['aa', 'bb', 'cccccccc']",multiple_choice\ny,"the ""cat""\nsat",the cat,,generation\n`,
  );
  const answers = { kit: '0', loglikelihood: '1', loglikelihood_norm: '2' };
  for (const scoring of kitScorings) {
    const { rows, metrics } = await predict([file], out, numbers, { scoring, maxGenLen: 8 });
    assert.equal(rows, 2);
    assert.equal(metrics.accuracy, scoring === 'kit' ? 1 : 0);
    assert.equal(metrics.accuracy_kit, 1);
    assert.equal(metrics.accuracy_loglikelihood, 0);
    // Two of two words, of four that were written.
    assert.ok(Math.abs((metrics.rougeL ?? 0) - 2 / 3) < 1e-12);
    const average = (((metrics.accuracy ?? 0) + 2 / 3) / 2) * 100;
    assert.ok(Math.abs((metrics.average ?? 0) - average) < 1e-9);
    assert.equal(
      await readFile(out, 'utf8'),
      `id,prediction,dummy_field\nx,${answers[scoring]},0\ny,"the ""cat""\nsat 8",0\n`,
    );
  }
});

test('a row that cannot be answered is named, and nothing is written', async (t) => {
  const path = await folder(t);
  const file = join(path, 'in.csv');
  const out = join(path, 'submission.csv');
  await writeFile(file, 'id,input\n1,a\n2,b\n');
  const source: AnswerSource = {
    ...numbers,
    generate: async (input) => {
      if (input === 'b') throw new UserError('The prompt is too long');
      return input;
    },
  };
  await assert.rejects(
    predict([file], out, source, { scoring: 'kit', maxGenLen: 1 }),
    (error: unknown) => error instanceof UserError && error.place.line === 3 && error.place.file === file,
  );
  await assert.rejects(
    predict([file], out, numbers, { scoring: 'kit', maxGenLen: 1, signal: AbortSignal.abort() }),
    /cancelled/,
  );
  await assert.rejects(stat(out), /ENOENT/);
});

test('an endpoint is scored by what it echoes, and refused where it echoes nothing', async (t) => {
  const path = await folder(t);
  const file = join(path, 'in.csv');
  await writeFile(file, `input,target,answer_choices\n1234567,1,"[' no', ' yéß', '']"\n`);
  // Tokens of four characters: the third spans the end of the input and the choice.
  const logprobs = { ' no': -3, ' yéß': -1 };
  const server = await startCannedServer({
    '/process': ({ prompt }) => {
      const text = String(prompt);
      const choice = text.slice(7) as keyof typeof logprobs;
      const tokens = pieces(text).map((token, i) => ({
        text: token,
        logprob: i === 0 ? 0 : logprobs[choice],
      }));
      return { body: { text, logprob: -1, tokens, request_time: 0 } };
    },
  });
  t.after(() => server.close());
  const { signal } = new AbortController();
  const scores = await endpointSource(server.url, signal).choices('1234567', [' no', ' yéß'], signal);
  assert.deepEqual(scores, [{ tokens: [-3, -3] }, { tokens: [-1, -1] }]);
  const kit = predict([file], join(path, 'out.csv'), endpointSource(server.url, signal), {
    scoring: 'kit',
    maxGenLen: 1,
  });
  await assert.rejects(
    kit,
    (error: unknown) =>
      error instanceof UserError && error.kind === 'usage' && /loglikelihood/.test(`${error.remedy}`),
  );
  const silent = await startCannedServer({
    '/process': () => ({
      body: { text: 'x', logprob: -1, tokens: [{ text: 'x', logprob: -1 }], request_time: 0 },
    }),
  });
  t.after(() => silent.close());
  await assert.rejects(
    endpointSource(silent.url, signal).choices('a', ['b'], signal),
    (error: unknown) =>
      error instanceof UserError && error.kind === 'usage' && /does not echo/.test(error.message),
  );
});
