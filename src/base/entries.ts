import { fileURLToPath } from 'node:url';

/**
 * Programs of ours that run in a process or worker of their own, by the source that is their first module.
 * esbuild.mjs makes one bundle of each, next to the bundle that starts it.
 */
export const entries = {
  cli: 'cli.ts',
  'merge-worker': 'merge/worker.ts',
  'model-host': 'model/host.ts',
  'task-worker': 'ui/tasks/worker.ts',
} as const;

export type EntryName = keyof typeof entries;

/** True in the bundles under dist/, false when the sources themselves run (tests under Node 24). */
const bundled = !import.meta.url.endsWith('/src/base/entries.ts');

/** The file to start for an entry. All bundles and their shared chunks lie side by side in dist/. */
export function entryUrl(name: EntryName): URL {
  return bundled ? new URL(`./${name}.js`, import.meta.url) : new URL(`../${entries[name]}`, import.meta.url);
}

/** The compiled merge kernels (`npm run build` makes them, also for runs from source). */
export function kernelsUrl(): URL {
  return new URL(bundled ? './kernels.wasm' : '../../dist/kernels.wasm', import.meta.url);
}

/** WebAssembly of libraries: the parser and its grammars. esbuild.mjs puts them beside the bundles. */
const libraryWasm = {
  'web-tree-sitter': 'web-tree-sitter/web-tree-sitter.wasm',
  'tree-sitter-python': '@vscode/tree-sitter-wasm/wasm/tree-sitter-python.wasm',
  'tree-sitter-bash': '@vscode/tree-sitter-wasm/wasm/tree-sitter-bash.wasm',
} as const;

/** The path of a library's WebAssembly file. */
export function wasmPath(name: keyof typeof libraryWasm): string {
  const url = new URL(
    bundled ? `./${name}.wasm` : `../../node_modules/${libraryWasm[name]}`,
    import.meta.url,
  );
  return fileURLToPath(url);
}

/** The path of a file that ships with us, below media/. */
export function mediaPath(relative: string): string {
  const root = bundled ? new URL('../media/', import.meta.url) : new URL('../../media/', import.meta.url);
  return fileURLToPath(new URL(relative, root));
}
