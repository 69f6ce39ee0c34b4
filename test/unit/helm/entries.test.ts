import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { UserError } from '../../../src/base/index.ts';
import { parseDescription, parseRunEntries } from '../../../src/helm/conf/entries.ts';
import { parseHocon } from '../../../src/helm/conf/hocon.ts';
import { expandEntries } from '../../../src/helm/conf/run-specs.ts';
import { missingMetrics } from '../../../src/helm/metrics/run-metrics.ts';
import { golden } from './golden.ts';
import { writeInventedData } from './invented-data.ts';

function entry(description: string) {
  return { description, place: { file: 'test.conf', line: 3 } };
}

const options = { data: 'none', model: 'neurips/local', maxEvalInstances: 10 };

test('entries expand to HELM’s runs with HELM’s names', async (t) => {
  const data = await mkdtemp(join(tmpdir(), 'helm-entries-'));
  t.after(() => rm(data, { recursive: true, force: true }));
  await writeInventedData(data);
  for (const { description, runs } of golden.run_entry_expansion) {
    const expanded = await expandEntries([entry(description)], { ...options, data });
    const shown = expanded.map(({ spec }) => ({
      name: spec.name,
      groups: spec.groups,
      max_train_instances: spec.adapter_spec.max_train_instances,
      max_eval_instances: spec.adapter_spec.max_eval_instances,
      num_train_trials: spec.adapter_spec.num_train_trials,
      max_tokens: spec.adapter_spec.max_tokens,
      num_outputs: spec.adapter_spec.num_outputs,
      temperature: spec.adapter_spec.temperature,
      stop_sequences: spec.adapter_spec.stop_sequences,
      perturbations: spec.data_augmenter_spec.perturbation_specs.map(({ class_name }) =>
        class_name.split('.').at(-1),
      ),
    }));
    assert.deepEqual(shown, runs, description);
  }
});

test('a list in max_train_instances makes a run each, and zero examples one trial', async () => {
  const runs = await expandEntries(
    [entry('simple_mcqa:num_train_trials=3,max_train_instances=big_bench_few_shot_setting')],
    { ...options, model: 'neurips/mine' },
  );
  assert.deepEqual(
    runs.map(({ spec }) => [spec.name, spec.adapter_spec.num_train_trials]),
    [0, 1, 2, 3].map((shots) => [
      `simple_mcqa:num_train_trials=3,max_train_instances=${shots},model=neurips_mine`,
      shots === 0 ? 1 : 3,
    ]),
  );
});

test('an entry’s own number of instances wins over the command’s', async () => {
  const [run] = await expandEntries([entry('simple_mcqa:max_eval_instances=3')], options);
  assert.equal(run?.spec.adapter_spec.max_eval_instances, 3);
});

test('expanders that HELM does not name stay out of the name', async () => {
  const [run] = await expandEntries(
    [
      entry(
        'simple_classification:temperature=0.7,increase_max_tokens=3,add_to_stop=newline,stop=hash,prompt=qa',
      ),
    ],
    options,
  );
  assert.equal(run?.spec.name, 'simple_classification,stop=hash,prompt=qa:model=neurips_local');
  assert.equal(run?.spec.adapter_spec.temperature, 0.7);
  assert.equal(run?.spec.adapter_spec.max_tokens, 8);
  assert.deepEqual(run?.spec.adapter_spec.stop_sequences, ['###']);
  assert.equal(run?.spec.adapter_spec.input_prefix, 'Q: ');
});

test('values are numbers where Python reads them as numbers', () => {
  const { scenario, arguments: args } = parseDescription('a:b=1,c=1.5,d=1e3,e=,f=x=y,g=0x1', {});
  assert.equal(scenario, 'a');
  assert.deepEqual(Object.fromEntries(args), { b: 1, c: 1.5, d: 1000, e: '', f: 'x=y', g: '0x1' });
});

const unusable: readonly (readonly [string, RegExp])[] = [
  ['simple_mcqua:model=neurips/local', /no scenario "simple_mcqua".*simple_mcqa/s],
  ['simple_mcqa:subject=physics', /no argument "subject"/],
  ['synthetic_reasoning:model=x/y', /needs mode=….*pattern_match/s],
  ['synthetic_reasoning:mode=inducton', /mode=inducton.*induction/s],
  ['simple_mcqa:max_eval_instances=many', /max_eval_instances=many.*whole number/s],
  ['simple_mcqa:max_train_instances=-1', /max_train_instances=-1/],
  ['simple_mcqa:model', /"model".*no key=value/s],
  ['simple_mcqa:chatml=true', /"chatml" is not supported/],
  ['simple_mcqa:newline=tab', /newline=tab.*semicolon/s],
];

test('an unusable entry is refused with its line and the nearest names', async () => {
  for (const [description, expected] of unusable) {
    await assert.rejects(expandEntries([entry(description)], options), (error: unknown) => {
      assert.ok(error instanceof UserError);
      assert.equal(error.kind, 'usage');
      assert.match(`${error.message} ${error.remedy}`, expected);
      assert.equal(error.place.file, 'test.conf');
      assert.equal(error.place.line, 3);
      return true;
    });
  }
});

test('conf files are read as pyhocon reads them', () => {
  const text = `
    # comment with "quotes" and {
    entries = [ // another
      {description: "a:b=1 # no comment", priority: 1},
      { "description" = """raw \\n "text" """, groups: [x, "y z",] }
      {description: "first"} {priority: 3, description: "second"}

      {
        description : "esc \\"q\\" \\u00e9 \\\\"
        nested.key = 5
        nested { other: true, nothing: null }
      },
    ]
    priority: 2.5  # a number
  `;
  const { root } = parseHocon(text, 'x.conf');
  assert.deepEqual(root, {
    entries: [
      { description: 'a:b=1 # no comment', priority: 1 },
      { description: 'raw \\n "text" ', groups: ['x', 'y z'] },
      { description: 'second', priority: 3 },
      { description: 'esc "q" é \\', nested: { key: 5, other: true, nothing: null } },
    ],
    priority: 2.5,
  });
  assert.deepEqual(parseHocon('{ entries: [] }', 'x').root, { entries: [] });
  assert.deepEqual(parseHocon('\uFEFFa: b c // d\r\ne=f', 'x').root, { a: 'b c', e: 'f' });
});

const broken: readonly (readonly [string, number, RegExp])[] = [
  ['entries: [\n  {description: "a"\n]', 3, /`\]`|"\]"|key/],
  ['entries: [\n  {description: "a"}', 1, /bracket.*never closed.*column 10/],
  ['entries: [\n {description: "a}\n]', 2, /not closed on its line.*column 16/],
  ['entries: [\n {description a}\n]', 2, /`:` or `=`/],
  ['x: $y', 1, /quotes/],
  ['include "other.conf"', 1, /include|`:`/],
  ['a: }', 1, /a value/],
  ['a: 1 }', 1, /key/],
  ['a: """x', 1, /never closed/],
];

test('a malformed conf file is refused with line and column', () => {
  for (const [text, line, expected] of broken) {
    assert.throws(
      () => parseHocon(text, 'bad.conf'),
      (error: unknown) => {
        assert.ok(error instanceof UserError, text);
        assert.match(error.message, expected);
        assert.match(error.message, /column \d+/);
        assert.deepEqual(error.place, { file: 'bad.conf', line }, text);
        return true;
      },
    );
  }
});

test('entries of the wrong form are refused with their line', () => {
  const refuse = (text: string, expected: RegExp, line?: number) =>
    assert.throws(
      () => parseRunEntries(text, 'e.conf'),
      (error: unknown) => {
        assert.ok(error instanceof UserError);
        assert.match(error.message, expected);
        if (line !== undefined) assert.equal(error.place.line, line);
        return true;
      },
    );
  refuse('runs: []', /no list `entries`/);
  refuse('[1, 2]', /no list `entries`/);
  refuse('entries: [\n\n{description: "a", priority: "1"}]', /priority/, 3);
  refuse('entries: [{priority: 1}]', /description/, 1);
  refuse('entries: ["a:b=1"]', /Entry 1/);
});

test('names that every object inherits are as unknown as others', async () => {
  for (const [description, message] of [
    ['simple_mcqa:toString=1', /has no argument "toString"/],
    ['simple_mcqa:__proto__=1', /has no argument "__proto__"/],
    ['simple_mcqa:max_train_instances=constructor', /max_train_instances=constructor is not a value/],
    ['simple_mcqa:prompt=toString', /prompt=toString is not a value/],
  ] as const) {
    await assert.rejects(expandEntries([entry(description)], options), (error) => {
      assert.ok(error instanceof UserError, String(error));
      assert.match(error.message, message);
      assert.equal(error.place?.line, 3);
      return true;
    });
  }
  assert.deepEqual(missingMetrics([{ class_name: 'BasicGenerationMetric', args: { names: ['toString'] } }]), [
    'toString',
  ]);
});

test('a conf file cannot reach the prototype of all objects', () => {
  for (const key of ['__proto__', '"__proto__"', 'a.__proto__']) {
    assert.throws(
      () => parseHocon(`a: 1\n  ${key} { polluted: 1 }`, 'x.conf'),
      (error) => error instanceof UserError && error.place?.line === 2 && /column 3/.test(error.message),
      key,
    );
  }
  assert.equal(Reflect.get({}, 'polluted'), undefined);
});
