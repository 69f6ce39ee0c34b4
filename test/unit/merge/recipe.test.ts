import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { UserError } from '../../../src/base/index.ts';
import {
  checkRecipe,
  describeMethod,
  methods,
  parseRecipe,
  recipeJsonSchema,
} from '../../../src/merge/index.ts';

const good = `merge_method: task_arithmetic
base_model: ./base
models:
  - model: ./a
    parameters:
      weight: 0.5
dtype: bfloat16
`;

describe('a recipe that cannot be used', () => {
  const bad: Record<string, [text: string, line: number, field: string, says: RegExp]> = {
    'an unknown method': [
      'models: []\nmerge_method: tiess\n',
      2,
      'merge_method',
      /"tiess" is no merge method.*linear/,
    ],
    'a method of mergekit that is not there yet': [
      'merge_method: ties\n',
      1,
      'merge_method',
      /cannot be run here yet/,
    ],
    'a method that is a number': ['merge_method: 3\n', 1, 'merge_method', /must name a merge method/],
    'no method': ['models:\n  - model: a\n', 1, 'merge_method', /must name a merge method/],
    'models that are a text': [
      'merge_method: linear\nmodels: a\n',
      2,
      'models',
      /must be a list, not a text/,
    ],
    'a model without a name': [
      'merge_method: linear\nmodels:\n  - parameters: {}\n',
      3,
      'models.0.model',
      /folder of a model/,
    ],
    'a weight that is a word': [
      'merge_method: linear\nmodels:\n  - model: a\n    parameters:\n      weight: heavy\n',
      5,
      'models.0.parameters.weight',
      /must be a number, not "heavy"/,
    ],
    'a wrong value deep in a filter': [
      'merge_method: linear\nmodels: [{model: a}]\nparameters:\n  weight:\n    - filter: mlp\n      value: [1, x]\n',
      6,
      'parameters.weight.0.value.1',
      /must be a number, not "x"/,
    ],
    'a flag that is a number other than 0 and 1': [
      'merge_method: linear\nmodels: [{model: a}]\nparameters: {normalize: 2}\n',
      3,
      'parameters.normalize',
      /must be true or false, not 2/,
    ],
    'a parameter that is a map': [
      'merge_method: linear\nmodels: [{model: a}]\nparameters: {weight: {a: 1}}\n',
      3,
      'parameters.weight',
      /list of \{filter, value\}/,
    ],
    'a dtype that is not written': [
      'merge_method: linear\ndtype: int8\n',
      2,
      'dtype',
      /"int8" cannot be written/,
    ],
    'models and slices': [
      'merge_method: linear\nmodels: [{model: a}]\nslices: [{sources: [{model: a, layer_range: [0, 1]}]}]\n',
      3,
      'slices',
      /models and slices are given/,
    ],
    'neither models nor slices': ['merge_method: linear\n', 1, 'merge_method', /none is given/],
    'broken YAML': ['merge_method: linear\nmodels: [\n', 3, '', /broken YAML/],
    'tabs for indentation': ['merge_method: linear\nmodels:\n\t- model: a\n', 3, '', /broken YAML/],
    'an empty file': ['', 1, '', /empty/],
    'a comment alone': ['# nothing\n', 1, '', /empty/],
    'a list': ['- a\n', 1, '', /must be an object \(keys with values\), not a list/],
    'several faults of YAML': [
      'merge_method: linear\nmodels:\n  - model: [a\n  x: y: z\n',
      4,
      '',
      /^The recipe is not valid: broken YAML: [^;]+$/,
    ],
    'two documents': [`${good}---\n${good}`, 8, '', /several documents/],
    'an alias without anchor': ['merge_method: linear\nmodels: *x\n', 2, '', /broken YAML/],
  };
  for (const [what, [text, line, field, says]] of Object.entries(bad)) {
    test(`${what}: named with file and line`, () => {
      assert.throws(
        () => parseRecipe(text, '/tmp/recipe.yml'),
        (error: unknown) => {
          assert(error instanceof UserError, String(error));
          assert.match(error.message, says);
          assert.deepEqual(error.place, { file: '/tmp/recipe.yml', line, ...(field ? { field } : {}) });
          assert.equal(error.kind, 'usage');
          return true;
        },
      );
    });
  }

  test('all errors are reported, not just the first', () => {
    const { problems } = checkRecipe('merge_method: nope\nmodels: 3\ndtype: int8\n', 'r.yml');
    assert.deepEqual(
      problems.map(({ severity, field, range }) => [severity, field, range.line]),
      [
        ['error', 'merge_method', 1],
        ['error', 'models', 2],
        ['error', 'dtype', 3],
      ],
    );
  });

  test('an alias bomb is refused', () => {
    const bomb = Array.from(
      { length: 12 },
      (_, i) =>
        `a${i}: &a${i} [${Array(10)
          .fill(i ? `*a${i - 1}` : 'x')
          .join(', ')}]`,
    );
    assert.throws(() => parseRecipe(`merge_method: linear\n${bomb.join('\n')}\n`, 'r.yml'), UserError);
  });
});

describe('a recipe that can be used', () => {
  test('is parsed with the formats of safetensors', () => {
    const recipe = parseRecipe(good.replace('bfloat16', 'torch.bfloat16'), 'r.yml');
    assert.equal(recipe.document.dtype, 'BF16');
    assert.deepEqual(recipe.warnings, []);
    assert.deepEqual(recipe.document.models?.[0]?.parameters, { weight: 0.5 });
    assert.equal(recipe.text.includes('torch.bfloat16'), true);
  });

  test('unknown keys at every level are warnings with their line', () => {
    const { recipe, problems } = checkRecipe(
      `merge_method: linear
merge_methods: x
models:
  - model: a
    wieght: 1
    parameters:
      weight:
        - value: 1
          fliter: mlp
      wegiht: 2
      normalize: false
`,
      'r.yml',
    );
    assert(recipe);
    assert.deepEqual(
      problems
        .map(({ severity, field, range }) => [severity, field, range.line])
        .sort((a, b) => Number(a[2]) - Number(b[2])),
      [
        ['warning', 'merge_methods', 2],
        ['warning', 'models.0.wieght', 5],
        ['warning', 'models.0.parameters.weight.0.fliter', 9],
        ['warning', 'models.0.parameters.wegiht', 10],
        ['warning', 'models.0.parameters.normalize', 11],
      ],
    );
    const spelling = problems.find(({ field }) => field === 'models.0.parameters.wegiht');
    assert.match(spelling?.message ?? '', /linear takes no parameter wegiht/);
    assert.deepEqual(spelling?.range, { line: 10, column: 7, endLine: 10, endColumn: 13 });
  });

  test('what mergekit accepts is accepted: nulls, booleans and texts as numbers, a repeated key, merge keys', () => {
    const { recipe, problems } = checkRecipe(
      `common: &common
  weight: "1e-3"
merge_method: linear
base_model: null
models:
  - model: a
    parameters: {<<: *common}
  - model: {model: {path: b}}
    parameters: {weight: true}
parameters: {normalize: "off", normalize: 1}
`,
      'r.yml',
    );
    assert(recipe, JSON.stringify(problems));
    assert.deepEqual(
      problems.map(({ message }) => message),
      ['this key stands here twice; the last one counts', 'unknown key common is ignored'],
    );
    assert.deepEqual(recipe.document.models?.[0]?.parameters, { weight: '1e-3' });
    assert.deepEqual(recipe.document.parameters, { normalize: 1 });
  });
});

describe('what editors and documents get', () => {
  test('the JSON schema names every method and every parameter with its words', () => {
    const schema = recipeJsonSchema() as {
      properties: { merge_method: { enum: string[]; markdownEnumDescriptions: string[] } };
      $defs: { parameters: { properties: Record<string, { markdownDescription: string }> } };
    };
    assert.deepEqual(
      schema.properties.merge_method.enum,
      methods.map((method) => method.name),
    );
    for (const method of methods) {
      for (const [name, spec] of Object.entries(method.parameters)) {
        const text = schema.$defs.parameters.properties[name]?.markdownDescription ?? '';
        assert(text.includes(spec.description), `${method.name}.${name}`);
        assert(describeMethod(method).includes(spec.description));
      }
      assert(describeMethod(method).includes(method.formula));
    }
  });
});
