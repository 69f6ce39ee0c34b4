import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, posix } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { parseSync } from 'oxc-parser';
import { readZip, type ZipEntry } from '../../tools/package/zip.ts';
import { contrast } from '../hosts/pixels.ts';
import { freshFolder, openWorkbench } from '../hosts/workbench.ts';

const packager = fileURLToPath(new URL('../../tools/package.mjs', import.meta.url));
const platform = `${process.platform}/${process.arch}`;

/** What an entry of the VSIX may be; everything else does not belong to users. */
const allowed = [
  /^(\[Content_Types\]\.xml|extension\.vsixmanifest)$/,
  /^extension\/(package(\.nls)?\.json|readme\.md|changelog\.md|LICENSE\.txt|THIRD-PARTY-NOTICES\.txt)$/,
  /^extension\/dist\/[\w.-]+\.(js|wasm)$/,
  /^extension\/dist\/schemas\/[\w-]+\.json$/,
  /^extension\/dist\/webview\/[\w.-]+\.(js|css|ttf)$/,
  /^extension\/media\//,
  /^extension\/dist\/node_modules\/onnxruntime-(common|node)\/(package\.json|dist\/([\w-]+\/)*[\w-]+\.js|dist\/cjs\/package\.json)$/,
  new RegExp(`^extension/dist/node_modules/onnxruntime-node/bin/napi-v6/${platform}/[^/]+$`),
];

describe('vsix', () => {
  let folder = '';
  let vsix = '';
  let entries: readonly ZipEntry[] = [];

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'studio-vsix-'));
    const { stdout } = await promisify(execFile)(process.execPath, [packager, '--out', folder]);
    vsix = stdout.trim().split('\n').at(-1) ?? '';
    entries = await readZip(vsix);
  });
  after(() => rm(folder, { recursive: true, force: true }));

  const textOf = (name: string): string => {
    const entry = entries.find((candidate) => candidate.name === name);
    assert.ok(entry, `${name} is not in the VSIX`);
    return entry.bytes.toString();
  };

  /** A bundle and all that it imports at once, as opposed to on first use. */
  const loadedAtOnce = (name: string, seen = new Set<string>()): Set<string> => {
    if (seen.has(name)) return seen;
    seen.add(name);
    const { module } = parseSync(name, textOf(name));
    const requests = [
      ...module.staticImports.map(({ moduleRequest }) => moduleRequest.value),
      ...module.staticExports.flatMap((item) => item.entries.map((entry) => entry.moduleRequest?.value)),
    ];
    for (const request of requests) {
      if (request?.startsWith('.')) loadedAtOnce(posix.join(posix.dirname(name), request), seen);
    }
    return seen;
  };

  test('it holds what users need and nothing else', () => {
    const names = entries.map(({ name }) => name);
    assert.deepEqual(
      names.filter((name) => !allowed.some((pattern) => pattern.test(name))),
      [],
    );
    // Templates are Python and text; TypeScript, maps or tests can only come from our own sources.
    assert.deepEqual(
      names.filter((name) => /\.(ts|map|tsbuildinfo)$|\.test\.|\.env$/.test(name)),
      [],
    );
    for (const name of ['extension.js', 'cli.js', 'merge-worker.js', 'model-host.js', 'kernels.wasm']) {
      assert.ok(names.includes(`extension/dist/${name}`), `${name} is missing`);
    }
    assert.ok(
      names.some((name) => name.endsWith(`${platform}/onnxruntime_binding.node`)),
      'the native runtime is missing',
    );
    assert.match(
      textOf('extension.vsixmanifest'),
      new RegExp(`TargetPlatform="${platform.replace('/', '-')}"`),
    );
  });

  test('the manifest names no development scripts, and every licence is passed on', () => {
    const manifest = JSON.parse(textOf('extension/package.json')) as Record<string, unknown>;
    assert.equal(manifest.main, './dist/extension.js');
    for (const key of ['scripts', 'devDependencies', 'private']) assert.ok(!(key in manifest), key);
    const notices = textOf('extension/THIRD-PARTY-NOTICES.txt');
    for (const name of ['zod', 'yaml', 'onnxruntime-node', 'onnxruntime-common']) {
      assert.match(notices, new RegExp(`^${name} \\d+\\.`, 'm'));
    }
  });

  test('activation loads less than 1 MB, and nothing of it asks for a navigator', () => {
    const names = [...loadedAtOnce('extension/dist/extension.js')];
    const bytes = names.reduce((sum, name) => sum + textOf(name).length, 0);
    assert.ok(bytes > 0 && bytes < 1e6, `${bytes} bytes in ${names.length} files`);
    // The extension host objects to libraries that take it for a browser.
    assert.deepEqual(
      names.filter((name) => /\bnavigator\s*[.?[]/.test(textOf(name))),
      [],
    );
  });

  test('unpacked, its command line goes the whole way with the libraries and the runtime that it brings', async (t) => {
    const unpacked = await freshFolder(t);
    for (const { name, bytes } of entries) {
      await mkdir(join(unpacked, posix.dirname(name)), { recursive: true });
      await writeFile(join(unpacked, name), bytes);
    }
    const demo = join(unpacked, 'demo-submission');
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [join(unpacked, 'extension/dist/cli.js'), 'demo', demo, '--json'],
      { timeout: 300_000 },
    );
    const { stages } = JSON.parse(stdout) as { stages: { name: string; pass: boolean }[] };
    assert.ok(stages.length >= 5, `${stages.length} stages`);
    assert.deepEqual(
      stages.filter(({ pass }) => !pass),
      [],
    );
  });

  test('installed into a fresh VS Code, it activates and its view stands', async (t) => {
    const workbench = await openWorkbench(t, { folder: await freshFolder(t), extension: vsix });
    await workbench.openContainer('Submission Studio');
    await workbench.view('Submission').waitFor();
    // Only an extension that has activated answers a command, and it made the channel that this one shows.
    await workbench.runCommand('Submission: Show Log');
    await workbench.page
      .locator('.part.panel option[value="Submission Studio"]')
      .first()
      .waitFor({ state: 'attached' });
    const { colours } = contrast(await workbench.screenshot('vsix'));
    assert.ok(colours > 50, `${colours} colours`);
  });
});
