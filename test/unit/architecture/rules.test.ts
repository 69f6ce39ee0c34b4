import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parse, type Source } from './parse.ts';
import { rules } from './rules.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));

/** What a rule says about sources given as {path: text}. */
function check(rule: keyof typeof rules, sources: Readonly<Record<string, string>>): string[] {
  const files = Object.entries(sources).map(([path, text]) => parse({ path, text }));
  return rules[rule](files).map(({ file, line, what }) => `${file}:${line} ${what}`);
}

describe('the checkers find what they are for', () => {
  for (const [form, text] of Object.entries({
    'an import': "import * as vscode from 'vscode';",
    'a type import': "import type { Uri } from 'vscode';",
    'an export from': "export { Uri } from 'vscode';",
    'an export of all': "export * from 'vscode';",
    'a dynamic import': "const later = () => import('vscode');",
    'a require': "const vscode = require('vscode');",
    'an import in a type': "export type Uri = import('vscode').Uri;",
  })) {
    test(`vscode outside of ui: ${form}`, () => {
      const what = 'vscode is imported outside src/ui and src/extension.ts';
      assert.deepEqual(check('vscodeOutsideUi', { 'src/merge/a.ts': `\n${text}` }), [
        `src/merge/a.ts:2 ${what}`,
      ]);
      assert.deepEqual(check('vscodeOutsideUi', { 'test/unit/a.test.ts': text }), [
        `test/unit/a.test.ts:1 ${what}`,
      ]);
      assert.deepEqual(
        check('vscodeOutsideUi', {
          'src/ui/a.ts': text,
          'src/extension.ts': text,
          'test/extension/a.ts': text,
        }),
        [],
      );
    });
  }

  test('a mention of vscode that is no import is none', () => {
    assert.deepEqual(
      check('vscodeOutsideUi', { 'src/base/a.ts': "// import 'vscode'\nexport const name = 'vscode';" }),
      [],
    );
  });

  test('an import upwards, and one between folders that stay apart', () => {
    assert.deepEqual(
      check('wrongDirection', {
        'src/base/a.ts': "import '../checkpoint/index.ts';",
        'src/checkpoint/a.ts': "import type { A } from '../merge/index.ts';",
        'src/merge/a.ts': "import '../base/index.ts';\nconst b = () => import('../model/index.ts');",
        'src/helm/a.ts': "import '../serve/index.ts';",
        'src/doctor/a.ts': "import '../ui/index.ts';",
        'src/cli.ts': "import './cli/run.ts';",
        'src/cli/run.ts': "import '../ui/index.ts';",
        'src/novel/a.ts': "import '../base/index.ts';",
      }),
      [
        'src/base/a.ts:1 base imports checkpoint, which lies above it',
        'src/checkpoint/a.ts:1 checkpoint imports merge, which lies above it',
        'src/merge/a.ts:2 merge and model never import one another',
        'src/doctor/a.ts:1 doctor imports ui, which lies above it',
        'src/cli/run.ts:1 cli and ui never import one another',
        'src/novel/a.ts:1 the folder novel belongs to no layer',
      ],
    );
  });

  test('an import past the door', () => {
    assert.deepEqual(
      check('besideTheDoor', {
        'src/merge/a.ts': "import '../base/errors.ts';\nimport '../base/index.ts';\nimport './b.ts';",
        'src/ui/scores/a.ts': "export * from '../../helm/types.ts';",
        'src/extension.ts': "import './ui/commands.ts';\nimport './helm/run.ts';",
      }),
      [
        'src/merge/a.ts:1 src/base/errors.ts is behind the door of base',
        'src/ui/scores/a.ts:1 src/helm/types.ts is behind the door of helm',
        'src/extension.ts:2 src/helm/run.ts is behind the door of helm',
      ],
    );
  });

  test('circles: of files, of a file with itself, through three files, and of folders', () => {
    assert.deepEqual(check('circles', { 'src/merge/a.ts': "import './a.ts';" }), [
      'src/merge/a.ts:1 imports go in a circle: src/merge/a.ts → src/merge/a.ts',
    ]);
    assert.deepEqual(
      check('circles', {
        'src/merge/a.ts': "import './b.ts';",
        'src/merge/b.ts': "import type { C } from './c.ts';",
        'src/merge/c.ts': "import './a.ts';\nimport './d.ts';",
        'src/merge/d.ts': "import 'node:fs';",
      }),
      [
        'src/merge/a.ts:1 imports go in a circle: src/merge/a.ts → src/merge/b.ts → src/merge/c.ts → src/merge/a.ts',
      ],
    );
    assert.deepEqual(
      check('circles', {
        'src/pack/a.ts': "import '../doctor/index.ts';",
        'src/doctor/b.ts': "import '../pack/index.ts';",
      }),
      ['pack:1 imports go in a circle: pack → doctor → pack'],
    );
    // A diamond is no circle.
    assert.deepEqual(
      check('circles', {
        'src/merge/a.ts': "import './b.ts';\nimport './c.ts';",
        'src/merge/b.ts': "import './d.ts';",
        'src/merge/c.ts': "import './d.ts';",
        'src/merge/d.ts': '',
      }),
      [],
    );
  });

  test('long files, any, and switched-off checkers', () => {
    const line = 'export const a = 1;\n';
    assert.deepEqual(check('unruly', { 'src/a.ts': line.repeat(400) }), []);
    assert.deepEqual(check('unruly', { 'src/a.ts': line.repeat(401) }), [
      'src/a.ts:401 401 lines; 400 is the most',
    ]);
    assert.deepEqual(
      check('unruly', {
        'src/a.ts':
          'const a: any = 1;\nconst b = a as any[];\nlet c: Map<string, any>;\nconst any = "any"; // any',
      }),
      ['src/a.ts:1 the type any', 'src/a.ts:2 the type any', 'src/a.ts:3 the type any'],
    );
    assert.deepEqual(
      check('unruly', { 'src/a.ts': `// ${['biome', 'ignore'].join('-')} format: a table` }),
      [],
    );
    const switches = ['ts-ignore', 'ts-expect-error', 'ts-nocheck'].map((name) => `@${name}`);
    for (const comment of [...switches, ['biome', 'ignore'].join('-')]) {
      assert.deepEqual(check('unruly', { 'src/a.ts': `\n// ${comment} because` }), [
        `src/a.ts:2 a checker is switched off: ${comment} because`,
      ]);
    }
  });

  test('a source that does not parse is an error, not a pass', () => {
    assert.throws(() => parse({ path: 'src/a.ts', text: 'const = ;' }), /src\/a\.ts does not parse/);
  });
});

async function read(folder: string, pattern: RegExp): Promise<Source[]> {
  const names = await readdir(join(root, folder), { recursive: true });
  return Promise.all(
    names
      .map((name) => `${folder}/${name.replaceAll('\\', '/')}`)
      .filter((path) => pattern.test(path) && !path.includes('/kernels/assembly/'))
      .map(async (path) => ({ path, text: await readFile(join(root, path), 'utf8') })),
  );
}

describe('the sources keep the design rules', async () => {
  const files = (
    await Promise.all([
      read('src', /\.ts$/),
      read('webview', /\.ts$/),
      read('test', /\.ts$/),
      read('tools', /\.mjs$/),
    ])
  )
    .flat()
    .map(parse);

  test('there are sources', () => {
    for (const folder of ['src/base/', 'src/merge/', 'test/unit/', 'tools/']) {
      assert.ok(
        files.some(({ path }) => path.startsWith(folder)),
        `nothing was read in ${folder}`,
      );
    }
  });
  for (const [name, rule] of Object.entries(rules)) {
    test(name, () => {
      assert.deepEqual(
        rule(files).map(({ file, line, what }) => `${file}:${line} ${what}`),
        [],
      );
    });
  }
});
