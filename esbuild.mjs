// Builds dist/: the extension, the command line, the workers they start, the merge kernels and the webview pages.
//   node esbuild.mjs [--watch] [--production] [--outdir DIR]
import { execFile } from 'node:child_process';
import { copyFile, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import asc from 'assemblyscript/asc';
import * as esbuild from 'esbuild';
import { reportSizes } from './tools/size-report.mjs';

const root = fileURLToPath(new URL('.', import.meta.url));
const { production, watch, outdir } = parseArgs({
  options: {
    production: { type: 'boolean', default: false },
    watch: { type: 'boolean', default: false },
    outdir: { type: 'string', default: 'dist' },
  },
}).values;
const target = resolve(root, outdir);
// A build is written beside its target and takes its place when all of it stands: who runs dist/ never meets half of it.
const output = watch ? target : join(dirname(target), `.dist-${process.pid}`);

const common = {
  absWorkingDir: root,
  bundle: true,
  sourcemap: production ? false : 'linked',
  minify: production,
  metafile: true,
  logLevel: 'warning',
  define: { 'process.env.NODE_ENV': production ? '"production"' : '"development"' },
};

const node = {
  ...common,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  // What is imported with `await import()` becomes a file of its own, loaded on first use. All files lie side by
  // side in dist/, so that src/base/entries.ts finds workers and media from any of them.
  splitting: true,
  outdir: output,
  chunkNames: 'chunk-[name]-[hash]',
  entryPoints: [
    { in: 'src/extension.ts', out: 'extension' },
    { in: 'src/cli.ts', out: 'cli' },
    { in: 'src/model/host.ts', out: 'model-host' },
    { in: 'src/ui/tasks/worker.ts', out: 'task-worker' },
  ],
  external: ['vscode', 'onnxruntime-node'],
  // Its main file loads its parts in a way that bundlers cannot follow.
  alias: { 'jsonc-parser': 'jsonc-parser/lib/esm/main.js' },
  // Libraries that probe `navigator` would trip the extension host's migration check.
  define: { ...common.define, navigator: 'undefined' },
  banner: {
    js: "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);",
  },
};

// Alone, without what it would otherwise share with the command line: each merge starts several of them.
const mergeWorker = {
  ...node,
  splitting: false,
  entryPoints: [{ in: 'src/merge/worker.ts', out: 'merge-worker' }],
};

const webview = {
  ...common,
  platform: 'browser',
  target: 'es2022',
  format: 'iife',
  outdir: join(output, 'webview'),
  entryPoints: [{ in: 'webview/scores/main.ts', out: 'scores' }],
  loader: { '.ttf': 'file' },
  assetNames: '[name]',
};

/** Compiles src/merge/kernels/assembly to kernels.wasm: SIMD over memory that the workers share. */
async function buildKernels() {
  const { error, stderr } = await asc.main([
    join(root, 'src/merge/kernels/assembly/index.ts'),
    ...['--outFile', join(output, 'kernels.wasm')],
    ...['--runtime', 'stub', '--enable', 'simd,threads', '--importMemory', '--sharedMemory'],
    ...['--initialMemory', '1', '--maximumMemory', '65536', '-O3', '--noAssert'],
  ]);
  if (error) throw new Error(`The merge kernels do not compile:\n${stderr.toString()}`);
}

/** Copies the WebAssembly of libraries: the doctor's parser and its grammars. Returns a record like esbuild's own. */
async function copyLibraryWasm() {
  const files = [
    'node_modules/web-tree-sitter/web-tree-sitter.wasm',
    'node_modules/@vscode/tree-sitter-wasm/wasm/tree-sitter-python.wasm',
    'node_modules/@vscode/tree-sitter-wasm/wasm/tree-sitter-bash.wasm',
  ];
  const copies = files.map(async (file) => {
    const copy = join(output, basename(file));
    await copyFile(join(root, file), copy);
    const { size } = await stat(copy);
    return [relative(root, copy), { bytes: size, inputs: { [file]: { bytesInOutput: size } }, imports: [] }];
  });
  return { metafile: { outputs: Object.fromEntries(await Promise.all(copies)) } };
}

/** Writes the JSON schemas of our YAML files, made from the schemas that check them. */
async function buildSchemas() {
  const { splitting: _, entryPoints: __, outdir: ___, chunkNames: ____, ...options } = node;
  const program = join(output, 'write-schemas.mjs');
  await esbuild.build({ ...options, sourcemap: false, entryPoints: ['tools/schemas.ts'], outfile: program });
  await promisify(execFile)(process.execPath, [program, join(output, 'schemas')]);
  await rm(program);
}

/** Puts the finished build where the last one stood. */
async function takePlace() {
  const old = `${output}-old`;
  for (;;) {
    await rename(target, old).catch((error) => {
      if (error.code !== 'ENOENT') throw error;
    });
    try {
      await rename(output, target);
      break;
    } catch (error) {
      // Another build was faster; ours is the newer one.
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
    }
    await rm(old, { recursive: true, force: true });
  }
  await rm(old, { recursive: true, force: true });
}

async function build() {
  await mkdir(output, { recursive: true });
  // All are waited for: one that fails must not leave the others writing into a folder that is being removed.
  const results = await Promise.allSettled([
    esbuild.build(node),
    esbuild.build(mergeWorker),
    esbuild.build(webview),
    copyLibraryWasm(),
    buildKernels(),
    buildSchemas(),
  ]);
  const failed = results.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
  const metafiles = results.slice(0, 4).map((result) => result.value.metafile);
  // The shebang cannot be a banner: only the command line may carry it.
  const cli = join(output, 'cli.js');
  await writeFile(cli, `#!/usr/bin/env node\n${await readFile(cli, 'utf8')}`, { mode: 0o755 });
  const metafile = { inputs: {}, outputs: Object.assign({}, ...metafiles.map(({ outputs }) => outputs)) };
  // What each bundle is made of: the packager reads it, and https://esbuild.github.io/analyze/ draws it.
  await writeFile(join(output, 'meta.json'), JSON.stringify(metafile));
  await takePlace();
  reportSizes(metafiles, {
    folder: relative(root, output),
    detailed: production,
  });
}

if (watch) {
  const contexts = await Promise.all([node, mergeWorker, webview].map((options) => esbuild.context(options)));
  await mkdir(output, { recursive: true });
  await Promise.all([buildKernels(), buildSchemas(), copyLibraryWasm()]);
  await Promise.all(contexts.map((context) => context.watch()));
  console.log('watching; kernels and schemas are made once, run the build again after changing them');
} else {
  try {
    await build();
  } catch (error) {
    await rm(output, { recursive: true, force: true });
    // esbuild has printed its own errors, with their places.
    console.error(error.errors === undefined ? error : 'the build failed');
    process.exitCode = 1;
  }
}
