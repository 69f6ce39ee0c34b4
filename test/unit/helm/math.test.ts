import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { UserError } from '../../../src/base/index.ts';
import { mathEquiv, mathEquivChainOfThought } from '../../../src/helm/metrics/math.ts';
import { NumpyGenerator } from '../../../src/helm/python/pcg64.ts';
import { scenarios } from '../../../src/helm/scenarios/index.ts';
import { writeInventedData } from './invented-data.ts';

const raw = String.raw;

/** Two answers each, and whether HELM 0.5.16 takes them for the same. */
const answers: readonly (readonly [gold: string, prediction: string, same: 0 | 1])[] = [
  [raw`\frac12`, '1/2', 1],
  ['0.5', raw`\frac{1}{2}`, 1],
  ['.5', '1/2', 1],
  [raw`\dfrac{7}{8}`, raw`\frac78`, 1],
  [raw`3 \text{ km}`, '3', 1],
  [raw`3\text{ km}\text{ h}`, '3', 0],
  [raw`\sqrt3`, raw`\sqrt{3}`, 1],
  [raw`\sqrt`, raw`\sqrt`, 1],
  ['x = 5', '5', 1],
  ['xyz = 5', '5', 0],
  ['🙂=5', '5', 1],
  [raw`50\%`, '50', 1],
  [raw`90^\circ`, raw`90^{\circ}`, 1],
  ['-3/4', raw`\frac{-3}{4}`, 1],
  ['03/4', raw`\frac{3}{4}`, 0],
  [raw`\frac1`, raw`\frac1`, 1],
  [raw`\frac1{72}`, raw`\frac{1}{72}`, 1],
  [raw`\frac{72}1`, raw`\frac{72}{1}`, 0],
  ['', '', 1],
  ['', 'x', 0],
  [raw`\left( 1, 2\right)`, '(1,2)', 1],
  [raw`1\!,\!000`, '1,000', 1],
  [raw`\$5`, '5', 1],
  ['{.5}', '{0.5}', 1],
  ['a .5', 'a0.5', 1],
  [raw`\frac𝒳𝒴`, raw`\frac{𝒳}{𝒴}`, 1],
  ['1/2/3', '1/2/3', 1],
  ['1 / 2', raw`\frac12`, 1],
];

const solutions: typeof answers = [
  [raw`so \boxed{1} then \boxed{\frac12}`, raw`\boxed{1/2}`, 1],
  [raw`\boxed{1}`, '1', 0],
  ['none', 'none', 1],
  [raw`\fbox{1}`, 'nothing', 1],
  [raw`\boxed 5`, 'x', 1],
  [raw`\boxed{{a}{b}}`, raw`x\boxed{{a}{b}}.`, 1],
  [raw`\boxed{open`, 'y', 1],
  [raw`\boxed{1}`, raw`\boxed{2}`, 0],
];

test('answers to MATH are the same where HELM says so', () => {
  for (const [gold, prediction, same] of answers)
    assert.equal(mathEquiv(gold, prediction), same, JSON.stringify([gold, prediction]));
  for (const [gold, prediction, same] of solutions)
    assert.equal(mathEquivChainOfThought(gold, prediction), same, JSON.stringify([gold, prediction]));
});

test('PCG64 permutes as NumPy’s default_rng', () => {
  const first = [15, 9, 14, 7, 12, 10, 6, 19, 3, 0, 16, 5, 11, 18, 2, 4, 17, 1, 13, 8];
  assert.deepEqual(new NumpyGenerator(42).permutation(20), first);
  const many = new NumpyGenerator(0).permutation(7500);
  assert.deepEqual(many.slice(0, 8), [1039, 3338, 1830, 1644, 6241, 4477, 653, 3640]);
});

async function data(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'helm-math-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await writeInventedData(folder);
  return folder;
}

const math = scenarios.get('math') ?? assert.fail();
const asked = { subject: 'algebra', level: 2 };

test('MATH takes the problems of a subject and a level, with what their solutions box', async (t) => {
  const folder = await data(t);
  const instances = await math.instances(asked, { data: folder });
  const train = instances.filter(({ split }) => split === 'train');
  assert.deepEqual([train.length, instances.length - train.length], [5, 4]);
  for (const { references } of instances)
    assert.doesNotMatch(references[0]?.output.text ?? 'boxed', /boxed|\{0\}/);
  const official = await math.instances({ ...asked, use_official_examples: 'True' }, { data: folder });
  assert.equal(official.filter(({ split }) => split === 'train').length, 8);
  const thoughts = await math.instances({ ...asked, use_chain_of_thought: 'True' }, { data: folder });
  assert.match(thoughts[0]?.references[0]?.output.text ?? '', /We get .*boxed/);
});

test('what MATH cannot use is told with its file and a remedy', async (t) => {
  const folder = await data(t);
  const refuses = async (args: Readonly<Record<string, string | number>>, at: string, message: RegExp) => {
    await assert.rejects(
      async () => math.instances(args, { data: at }),
      (error: unknown) => {
        assert.ok(error instanceof UserError);
        assert.match(`${error.message} ${error.place.file ?? ''} ${error.remedy}`, message);
        return error.kind === 'usage';
      },
    );
  };
  await refuses(asked, join(folder, 'none'), /not there .*MATH.*<number>\.json .*MATH\.tar/);
  await refuses(
    { ...asked, use_official_examples: 'True', use_chain_of_thought: 'True' },
    folder,
    /not both/,
  );
  const file = join(folder, 'MATH/train/algebra/0.json');
  const problem = { problem: 'p', level: 'Level 2', type: 'Algebra', solution: raw`\fbox{1}` };
  await writeFile(file, JSON.stringify(problem));
  await refuses(asked, folder, /no answer in a \\boxed.*algebra.0\.json/);
  await writeFile(file, '{"problem": ');
  await refuses(asked, folder, /no JSON .*algebra.0\.json/);
  await writeFile(file, '{"problem": 1}');
  await refuses(asked, folder, /algebra.0\.json/);
});
