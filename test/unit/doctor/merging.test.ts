import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mergingMethods } from '../../../src/doctor/index.ts';
import { folderWith } from '../submission/folder.ts';
import { findingsOn, july, methodPy, places, september, septemberMain } from './check.ts';

test('both generations of the kit have no findings', async () => {
  assert.deepEqual(await findingsOn(september(), 'merging'), []);
  assert.deepEqual(await findingsOn(july(), 'merging'), []);
});

test('merge-package-missing: the inner package in place of the whole', async () => {
  assert.deepEqual(await places('merge-package-missing', { 'main.py': '', 'merging/X.py': '' }, 'merging'), [
    '.:1',
  ]);
  assert.deepEqual(await places('merge-package-missing', { 'recipe.yml': '' }, 'merging'), ['.:1']);
  assert.deepEqual(await places('merge-package-missing', july(), 'merging'), []);
});

test('merge-method-not-registered: September wants the dictionary and the import', async () => {
  const rule = 'merge-method-not-registered';
  const second = { 'llm_merging/merging/Second.py': methodPy('Second') };
  assert.deepEqual(await places(rule, september(second), 'merging'), ['llm_merging/merging/Second.py:4']);
  const listed = { ...second, 'llm_merging/main.py': septemberMain('"mine": Mine', '"second": Second') };
  assert.deepEqual(await places(rule, september(listed), 'merging'), ['llm_merging/merging/Second.py:4']);
  const imported = {
    ...listed,
    'llm_merging/merging/__init__.py':
      'from llm_merging.merging.Mine import Mine\nfrom .Second import Second\n',
  };
  assert.deepEqual(await places(rule, september(imported), 'merging'), []);
  const direct = {
    ...listed,
    'llm_merging/main.py': `from llm_merging.merging.Second import Second\n${septemberMain('"mine": Mine', '"second": Second')}`,
  };
  assert.deepEqual(await places(rule, september(direct), 'merging'), []);
});

test('merge-method-not-registered: July wants an entry point, wherever setup.py lies', async () => {
  const rule = 'merge-method-not-registered';
  assert.deepEqual(
    await places(rule, july({ 'llm_merging/merging/Second.py': methodPy('Second') }), 'merging'),
    ['llm_merging/merging/Second.py:4'],
  );
  const { 'llm_merging/setup.py': setup, ...rest } = july();
  assert.deepEqual(await places(rule, { ...rest, 'setup.py': setup }, 'merging'), []);
});

test('merge-method-not-registered: helpers and base classes need no name', async () => {
  const files = september({
    'llm_merging/merging/Tools.py': 'class Helper:\n    pass\n\ndef average(): ...\n',
    'llm_merging/merging/Base.py': methodPy('Base'),
    'llm_merging/merging/Mine.py':
      'from llm_merging.merging.Base import Base\nclass Mine(Base):\n    def merge(self): ...\n',
  });
  assert.deepEqual(await places('merge-method-not-registered', files, 'merging'), []);
});

test('merge-build-products: the outermost folders are named once', async () => {
  const rule = 'merge-build-products';
  const files = september({
    'build/lib/x.py': '',
    'llm_merging/__pycache__/x.pyc': '',
    'output/m/safetensor.pt': '',
  });
  assert.deepEqual(await places(rule, files, 'merging'), ['.:1']);
  assert.deepEqual(await places('junk-in-context', files, 'merging'), []);
  assert.deepEqual(await places(rule, september({ 'docs/build.md': '' }), 'merging'), []);
});

test('merge-root-renamed: information for a folder, nothing for the right name', async () => {
  assert.deepEqual(await places('merge-root-renamed', september(), 'merging', 'my-fork'), ['.:1']);
  assert.deepEqual(await places('merge-root-renamed', september(), 'merging', 'LLM-Merging'), []);
});

test('a main.py that is no Python is not read for methods', async () => {
  const broken = september({ 'llm_merging/main.py': 'def all_merge_handlers(:\n' });
  assert.deepEqual(await places('merge-method-not-registered', broken, 'merging'), []);
});

test('methods are found as each generation registers them', async () => {
  const names = async (files: Record<string, string>) =>
    (await mergingMethods(await folderWith(files))).map(
      ({ name, className, file, line }) => `${name} ${className} ${file}:${line}`,
    );
  assert.deepEqual(await names(september()), ['mine Mine llm_merging/main.py:7']);
  assert.deepEqual(await names(july()), ['mine Mine llm_merging/setup.py:5']);
  assert.deepEqual(await names({ 'README.md': '' }), []);
});
