import assert from 'node:assert/strict';
import { test } from 'node:test';
import { july, methodPy, places, september } from './check.ts';

const mine = 'llm_merging/merging/Mine.py';
const main = 'llm_merging/main.py';
const on = (rule: string, files: Record<string, string> = {}) => places(rule, september(files), 'merging');
const method = (change: (text: string) => string) => ({ [mine]: change(methodPy('Mine')) });

test('merge-init-misspelled', async () => {
  const rule = 'merge-init-misspelled';
  assert.deepEqual(
    await on(
      rule,
      method((text) => text.replace('def __init__', 'def _init_')),
    ),
    [`${mine}:5`],
  );
  assert.deepEqual(
    await on(
      rule,
      method((text) => text.replace('        super().__init__(name)\n', '')),
    ),
    [`${mine}:5`],
  );
  assert.deepEqual(
    await on(
      rule,
      method((text) => text.replace('def merge(self)', 'def combine(self)')),
    ),
    [`${mine}:4`],
  );
  assert.deepEqual(
    await on(
      rule,
      method((text) => text.replace('def __init__(self, name)', 'def __init__(self, name, scale)')),
    ),
    [`${mine}:5`],
  );
  assert.deepEqual(await on(rule), []);
  assert.deepEqual(
    await on(
      rule,
      method((text) =>
        text.replace('(self, name)', '(self, name, scale=1.0)').replace('super().', 'super(Mine, self).'),
      ),
    ),
    [],
  );
  assert.deepEqual(
    await on(
      rule,
      method((text) => text.replace(/ {4}def __init__[\s\S]*?\n\n/, '')),
    ),
    [],
  );
});

test('merge-import-broken', async () => {
  const rule = 'merge-import-broken';
  const init = 'llm_merging/merging/__init__.py';
  const fine = 'from llm_merging.merging.Mine import Mine\n';
  assert.deepEqual(await on(rule, { [init]: `${fine}from llm_merging.merging.LlamaAvg import LlamaAvg\n` }), [
    `${init}:2`,
  ]);
  assert.deepEqual(await on(rule, { [init]: 'from llm_merging.merging.mine import Mine\n' }), [`${init}:1`]);
  assert.deepEqual(await on(rule, { [init]: 'from .Mine import Other\n' }), [`${init}:1`]);
  assert.deepEqual(
    await on(rule, { [init]: `${fine}from . import Merges\nimport torch\nfrom transformers import x\n` }),
    [],
  );
  assert.deepEqual(
    await on(rule, { [init]: `${fine}try:\n    from .Gone import x\nexcept ImportError:\n    pass\n` }),
    [],
  );
  assert.deepEqual(await on(rule), []);
});

test('merge-package-imports-rewritten', async () => {
  const rule = 'merge-package-imports-rewritten';
  assert.deepEqual(
    await on(rule, {
      [mine]: methodPy('Mine').replace('from llm_merging.merging.Merges', 'from merging.Merges'),
    }),
    [`${mine}:1`],
  );
  assert.deepEqual(
    await on(rule, { [mine]: methodPy('Mine').replace('from llm_merging.merging.Merges', 'from .Merges') }),
    [],
  );
  assert.deepEqual(
    await on(rule, { 'llm_merging/utils.py': '', [mine]: `import utils\nimport torch\n${methodPy('Mine')}` }),
    [`${mine}:1`],
  );
  assert.deepEqual(await on(rule), []);
});

test('merge-revision-missing', async () => {
  const rule = 'merge-revision-missing';
  const models = (list: string) =>
    method((text) => text.replace(/self\.list_models = .*/, `self.list_models = ${list}`));
  assert.deepEqual(await on(rule, models('[("a/b", None)]')), [`${mine}:7`]);
  assert.deepEqual(await on(rule, models('["a/b"]')), [`${mine}:7`]);
  assert.deepEqual(await on(rule, models('[("a/b", "")]\n        self.base_model_revision_id = None')), [
    `${mine}:7`,
    `${mine}:8`,
  ]);
  assert.deepEqual(
    await on(rule, models('[("a/b", "0123456789abcdef")]\n        self.base_model_revision_id = "01"')),
    [],
  );
  assert.deepEqual(await on(rule, models('[(name, revision) for name, revision in x]')), []);
});

test('merge-method-overridden, merge-main-not-runnable', async () => {
  const text = september()[main];
  const line = text.split('\n').findIndex((one) => one.includes('parse_args')) + 2;
  const overridden = text.replace(
    'args = parser.parse_args()\n',
    'args = parser.parse_args()\n    args.merging_method = "mine"\n',
  );
  assert.deepEqual(await on('merge-method-overridden', { [main]: overridden }), [`${main}:${line}`]);
  assert.deepEqual(await on('merge-method-overridden'), []);
  assert.deepEqual(
    await on('merge-main-not-runnable', { [main]: text.replace(/ {4}parser\.add_argument.*\n/, '') }),
    [`${main}:1`],
  );
  assert.deepEqual(
    await on('merge-main-not-runnable', {
      [main]: text.replace('if __name__ == "__main__":', 'def main():'),
    }),
    [`${main}:1`],
  );
  assert.deepEqual(
    await on('merge-main-not-runnable', {
      [main]: `${text.replace('if __name__ == "__main__":', 'def main():')}\nmain()\n`,
    }),
    [],
  );
  assert.deepEqual(await places('merge-main-not-runnable', july(), 'merging'), []);
});

test('merge-token-overwritten', async () => {
  const rule = 'merge-token-overwritten';
  assert.deepEqual(await on(rule, { 'setup_env.py': 'import os\nos.environ["HF_AUTH_TOKEN"] = ""\n' }), [
    'setup_env.py:2',
  ]);
  assert.deepEqual(await on(rule, { 'x.py': 'from os import environ\nenviron["HF_AUTH_TOKEN"] = t\n' }), [
    'x.py:2',
  ]);
  assert.deepEqual(
    await on(rule, {
      'x.py':
        'token = os.environ["HF_AUTH_TOKEN"]\nos.environ["HF_HOME"] = "x"\n# os.environ["HF_AUTH_TOKEN"] = ""\n',
    }),
    [],
  );
});

test('merge-debugger-left, merge-device-hardcoded', async () => {
  assert.deepEqual(
    await on('merge-debugger-left', {
      [mine]: `${methodPy('Mine')}\nimport ipdb\nipdb.set_trace()\nbreakpoint()\n`,
    }),
    [`${mine}:13`, `${mine}:14`],
  );
  assert.deepEqual(
    await on('merge-debugger-left', {
      [mine]: `${methodPy('Mine')}\nimport ipdb\n# ipdb.set_trace()\nif False:\n    breakpoint()\n`,
    }),
    [],
  );
  assert.deepEqual(
    await on('merge-device-hardcoded', { [mine]: `${methodPy('Mine')}\nD = torch.device("cuda:1")\n` }),
    [`${mine}:12`],
  );
  assert.deepEqual(
    await on('merge-device-hardcoded', {
      [mine]: `${methodPy('Mine')}\nD = "cuda"  # cuda:1\n"""cuda:1 is busy"""\n`,
    }),
    [],
  );
  // What a build copied is not the submission's own.
  assert.deepEqual(
    await on('merge-device-hardcoded', { 'build/lib/llm_merging/x.py': 'd = "cuda:1"\n' }),
    [],
  );
});
