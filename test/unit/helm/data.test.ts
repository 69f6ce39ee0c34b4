import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { UserError } from '../../../src/base/index.ts';
import { BbqScores } from '../../../src/helm/metrics/bbq.ts';
import { FirstNames, femalePronouns } from '../../../src/helm/perturbations/fairness.ts';
import { augment, augmentations, augmenterSpec } from '../../../src/helm/perturbations/index.ts';
import { mildMix } from '../../../src/helm/perturbations/mild-mix.ts';
import { parseCsv } from '../../../src/helm/python/csv.ts';
import { unpickle } from '../../../src/helm/python/pickle.ts';
import { PythonRandom } from '../../../src/helm/python/random.ts';
import { splitLines, splitWords, strip } from '../../../src/helm/python/text.ts';
import { scenarios } from '../../../src/helm/scenarios/index.ts';
import type { Instance } from '../../../src/helm/spec.ts';
import { golden } from './golden.ts';
import { writeInventedData } from './invented-data.ts';

async function invented(t: TestContext): Promise<string> {
  const data = await mkdtemp(join(tmpdir(), 'helm-data-'));
  t.after(() => rm(data, { recursive: true, force: true }));
  await writeInventedData(data);
  return data;
}

test('CSV is cut as Python cuts it', () => {
  const rows = parseCsv('a,"b, ""c""\nd",\n\n"x"y,z"w"\nlast');
  assert.deepEqual(
    rows.map(({ fields }) => fields),
    [['a', 'b, "c"\nd', ''], ['xy', 'z"w"'], ['last']],
  );
  assert.deepEqual(
    rows.map(({ line }) => line),
    [1, 4, 5],
  );
});

/** The same value by pickle's protocols 2 to 5. */
const pickles = [
  'gAJ9cQAoWAUAAAB0cmFpbnEBXXECKH1xAyhYBwAAAGFydGljbGVxBFgKAAAAYQpiIMOp8J+ZgnEFWAoAAABoaWdobGlnaHRzcQZYAgAAAGhocQd1fXEIKGgEaAVoBlgAAAAAcQl1ZVgEAAAAdGVzdHEKXXELWAEAAABucQwoSwFK/v///0pwEQEATohHQAQAAAAAAAB0cQ11Lg==',
  'gAN9cQAoWAUAAAB0cmFpbnEBXXECKH1xAyhYBwAAAGFydGljbGVxBFgKAAAAYQpiIMOp8J+ZgnEFWAoAAABoaWdobGlnaHRzcQZYAgAAAGhocQd1fXEIKGgEaAVoBlgAAAAAcQl1ZVgEAAAAdGVzdHEKXXELWAEAAABucQwoSwFK/v///0pwEQEATohHQAQAAAAAAAB0cQ11Lg==',
  'gASVcgAAAAAAAAB9lCiMBXRyYWlulF2UKH2UKIwHYXJ0aWNsZZSMCmEKYiDDqfCfmYKUjApoaWdobGlnaHRzlIwCaGiUdX2UKGgEaAVoBowAlHVljAR0ZXN0lF2UjAFulChLAUr+////SnARAQBOiEdABAAAAAAAAHSUdS4=',
  'gAWVcgAAAAAAAAB9lCiMBXRyYWlulF2UKH2UKIwHYXJ0aWNsZZSMCmEKYiDDqfCfmYKUjApoaWdobGlnaHRzlIwCaGiUdX2UKGgEaAVoBowAlHVljAR0ZXN0lF2UjAFulChLAUr+////SnARAQBOiEdABAAAAAAAAHSUdS4=',
];

test('pickles of texts, lists and numbers are read, and nothing is run', () => {
  const example = (highlights: string) =>
    new Map([
      ['article', 'a\nb é🙂'],
      ['highlights', highlights],
    ]);
  for (const pickle of pickles) {
    const value = unpickle(Buffer.from(pickle, 'base64'), 'x.pk');
    assert.deepEqual(
      value,
      new Map<string, unknown>([
        ['train', [example('hh'), example('')]],
        ['test', []],
        ['n', [1, -2, 70000, null, true, 2.5]],
      ]),
    );
  }
  // print("x"), as a pickle.
  const harmful = 'gASVLAAAAAAAAAB9lIwFdHJhaW6UXZSMCGJ1aWx0aW5zlIwFcHJpbnSUk5SMAXiUhZRSlGFzLg==';
  assert.throws(() => unpickle(Buffer.from(harmful, 'base64'), 'x.pk'), /opcode 0x93.*makes more than texts/);
  const cut = Buffer.from(pickles[2] ?? '', 'base64').subarray(0, -9);
  assert.throws(
    () => unpickle(cut, 'x.pk'),
    (error: unknown) => {
      assert.ok(error instanceof UserError);
      assert.equal(error.place.file, 'x.pk');
      return /ends in the middle|stack is broken/.test(error.message);
    },
  );
});

test('white space and lines are Python’s', () => {
  assert.equal(strip('\x1c\u0085\u3000 a\u00a0b \u2029\n'), 'a\u00a0b');
  assert.equal(strip('\ufeffa\ufeff'), '\ufeffa\ufeff');
  assert.equal(strip(' '.repeat(200_000)), '');
  assert.deepEqual(splitWords(' a\x1fb\u2003c '), ['a', 'b', 'c']);
  assert.deepEqual(splitLines('a\r\nb\rc\x0bd\u2028e\n'), ['a', 'b', 'c', 'd', 'e']);
});

test('BBQ is scored as in HELM', () => {
  const { rows, stats } = golden.bbq;
  const scores = new BbqScores();
  for (const { tags, completion } of rows) {
    const instance: Instance = {
      id: 'id0',
      split: 'test',
      input: { text: '' },
      references: [{ output: { text: '' }, tags }],
    };
    scores.add({ instance, completion: { text: completion, logprob: 0, tokens: [], request_time: 0 } });
  }
  assert.deepEqual(Object.fromEntries(scores.stats().map((stat) => [stat.name.name, stat.mean])), stats);
});

test('pronouns change as in HELM', () => {
  for (const { id, text, gender_pronouns_male_to_female: expected } of golden.perturbations) {
    assert.equal(femalePronouns(text, new PythonRandom(id)), expected);
  }
});

test('mild mix draws for known words and for spaces only', () => {
  const mix = mildMix(new Map([['problem', ['probelm']]]));
  const [first] = golden.perturbations;
  assert.ok(first);
  const mixed = mix('He does not KNOW that it is not his problem. it is', new PythonRandom('id0'));
  assert.match(mixed, /^he +doesn't +know +that +it's +not +his +(?:problem|probelm)\. +it +is$/);
});

test('names keep their gender, case and person', () => {
  const lines = [
    'greg,first_name,race,white_american,gender,male',
    'jamal,first_name,race,black_american,gender,male',
  ];
  const names = new FirstNames([...lines, 'keisha,first_name,race,black_american,gender,female']);
  const replace = names.replacer(new PythonRandom('id1'));
  assert.equal(replace('Greg, GREG and greg met Gregory.'), 'Jamal, JAMAL and jamal met Gregory.');
});

test('without the word lists, data augmentation is refused and says which are missing', async (t) => {
  const data = await invented(t);
  const spec = augmenterSpec(augmentations.canonical ?? []);
  await assert.rejects(augment([], spec, data), (error: unknown) => {
    assert.ok(error instanceof UserError);
    assert.match(error.message, /SAE_to_AAVE_mapping\.json.*person_names\.txt/);
    return true;
  });
});

test('options whose texts look like numbers keep the order of the task', async (t) => {
  const data = await invented(t);
  const instances = await scenarios.get('big_bench')?.instances({ task: 'snarks', subtask: '' }, { data });
  assert.equal(instances?.length, 50);
  for (const { references } of instances ?? []) {
    assert.deepEqual(
      references.map(({ output }) => output.text),
      ['10', '9', 'word'],
    );
    assert.equal(references.filter(({ tags }) => tags.includes('correct')).length, 1);
  }
});

const scenarioArguments = {
  mmlu: { subject: 'sky_lamps' },
  gsm: {},
  truthful_qa: { task: 'mc_single' },
  bbq: { subject: 'all' },
  big_bench: { task: 'repeat', subtask: 'deep' },
  summarization_cnndm: {},
} as const;

test('missing data is told with its file and where it comes from', async () => {
  for (const [entry, args] of Object.entries(scenarioArguments)) {
    const scenario = scenarios.get(entry) ?? assert.fail(entry);
    await assert.rejects(
      async () => scenario.instances(args, { data: join(tmpdir(), 'no-such-data') }),
      (error: unknown) => {
        assert.ok(error instanceof UserError, entry);
        assert.equal(error.kind, 'usage');
        assert.match(error.place.file ?? '', /no-such-data/);
        assert.match(error.remedy ?? '', /https:\/\/.*--data/);
        return true;
      },
    );
  }
});

test('unusable data is told with its line', async (t) => {
  const data = await invented(t);
  const refuses = async (
    entry: keyof typeof scenarioArguments,
    file: string,
    content: string,
    line: number | undefined,
  ) => {
    const path = join(data, file);
    await writeFile(path, content);
    const scenario = scenarios.get(entry) ?? assert.fail(entry);
    await assert.rejects(
      async () => scenario.instances(scenarioArguments[entry], { data }),
      (error: unknown) => {
        assert.ok(error instanceof UserError, `${entry}: ${error}`);
        assert.equal(error.place.file, path);
        assert.equal(error.place.line, line);
        return true;
      },
    );
  };
  await refuses('mmlu', 'mmlu/data/test/sky_lamps_test.csv', 'q,"a\nb",c,B\nq,a,b,F\n', 3);
  await refuses('gsm', 'gsm/gsm_data_test', '{"question": "q", "answer": "a"}\n{"question": 1}\n', 2);
  await refuses('gsm', 'gsm/gsm_data_test', '{"question": \n', 1);
  await refuses('truthful_qa', 'truthful_qa/data/TruthfulQA.csv', 'h\na,b,c\n', 2);
  await refuses('bbq', 'bbq/data/SES', '{}', 1);
  await refuses('big_bench', 'big_bench/repeat/deep/task.json', '{"examples": []}', undefined);
});
