// Builds dist/: the extension, the command line, the workers they start, the merge kernels and the webview pages.
//   node esbuild.mjs [--watch] [--production]
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';
import * as esbuild from 'esbuild';
import { reportSizes } from './tools/size-report.mjs';

const root = fileURLToPath(new URL('.', import.meta.url));
const production = process.argv.includes('--production');
const watch = process.argv.includes('--watch');

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
  outdir: 'dist',
  chunkNames: 'chunk-[name]-[hash]',
  entryPoints: [
    { in: 'src/extension.ts', out: 'extension' },
    { in: 'src/cli.ts', out: 'cli' },
    { in: 'src/merge/worker.ts', out: 'merge-worker' },
    { in: 'src/model/host.ts', out: 'model-host' },
  ],
  external: ['vscode', 'onnxruntime-node'],
  // Libraries that probe `navigator` would trip the extension host's migration check.
  define: { ...common.define, navigator: 'undefined' },
  banner: {
    js: "import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);",
  },
};

const webview = {
  ...common,
  platform: 'browser',
  target: 'es2022',
  format: 'iife',
  outdir: 'dist/webview',
  entryPoints: [{ in: 'webview/scores/main.ts', out: 'scores' }],
  loader: { '.ttf': 'file' },
  assetNames: '[name]',
};

/** Compiles src/merge/kernels/assembly to dist/kernels.wasm: SIMD over memory that the workers share. */
async function buildKernels() {
  const { error, stderr } = await asc.main([
    join(root, 'src/merge/kernels/assembly/index.ts'),
    ...['--outFile', join(root, 'dist/kernels.wasm')],
    ...['--runtime', 'stub', '--enable', 'simd,threads', '--importMemory', '--sharedMemory'],
    ...['--initialMemory', '1', '--maximumMemory', '65536', '-O3', '--noAssert'],
  ]);
  if (error) throw new Error(`The merge kernels do not compile:\n${stderr.toString()}`);
}

async function build() {
  await rm(join(root, 'dist'), { recursive: true, force: true });
  await mkdir(join(root, 'dist'), { recursive: true });
  const [nodeResult, webviewResult] = await Promise.all([
    esbuild.build(node),
    esbuild.build(webview),
    buildKernels(),
  ]);
  // The shebang cannot be a banner: only the command line may carry it.
  const cli = join(root, 'dist/cli.js');
  await writeFile(cli, `#!/usr/bin/env node\n${await readFile(cli, 'utf8')}`, { mode: 0o755 });
  reportSizes([nodeResult.metafile, webviewResult.metafile], { detailed: production });
}

if (watch) {
  const [nodeContext, webviewContext] = await Promise.all([esbuild.context(node), esbuild.context(webview)]);
  await mkdir(join(root, 'dist'), { recursive: true });
  await buildKernels();
  await Promise.all([nodeContext.watch(), webviewContext.watch()]);
  console.log('watching; the kernels are compiled once, run the build again after changing them');
} else {
  await build();
}
