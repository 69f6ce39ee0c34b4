// Makes a platform's VSIX from a staging folder that holds what is shipped and nothing else.
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createVSIX } from '@vscode/vsce';
import { root } from '../bootstrap/node-modules.mjs';
import { runVisibly } from '../bootstrap/shell.mjs';
import { thirdPartyNotices } from './notices.mjs';

/** The packages that are shipped as they are, with what is taken of them; binaries of one platform come on top. */
const runtime = {
  'onnxruntime-node': ['package.json', 'dist'],
  'onnxruntime-common': ['package.json', 'dist/cjs'],
};

const natives = join(root, 'node_modules/onnxruntime-node/bin/napi-v6');

/** VS Code's names of the platforms for which the runtime has binaries, such as linux-x64. */
export async function targets() {
  const systems = await readdir(natives);
  const folders = systems.map(async (system) =>
    (await readdir(join(natives, system))).map((processor) => `${system}-${processor}`),
  );
  return (await Promise.all(folders)).flat().sort();
}

/**
 * Builds for production and packs.
 * @param options target: one of `targets()`; folder: where the VSIX goes
 * @returns {Promise<string>} its path
 * @throws Error when the build fails or the packager refuses the manifest
 */
export async function makeVsix({ target, folder }) {
  const staging = await mkdtemp(join(tmpdir(), 'submission-vsix-'));
  try {
    const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
    // What only developers use, and `private`, which guards against publishing to npm, are no part of an extension.
    const { scripts, devDependencies, private: guarded, ...shipped } = manifest;
    await writeFile(join(staging, 'package.json'), `${JSON.stringify(shipped, null, 2)}\n`);
    const carried = ['package.nls.json', '.vscodeignore', 'README.md', 'CHANGELOG.md', 'LICENSE', 'media'];
    for (const name of carried) {
      await cp(join(root, name), join(staging, name), { recursive: true });
    }
    const build = ['esbuild.mjs', '--production', '--outdir', join(staging, 'dist')];
    const code = await runVisibly(process.execPath, build, {
      cwd: root,
      stdio: ['ignore', process.stderr, process.stderr],
    });
    if (code !== 0) throw new Error('the production build failed');
    await stageRuntime(target, join(staging, 'dist/node_modules'));
    const metafile = JSON.parse(await readFile(join(staging, 'dist/meta.json'), 'utf8'));
    const notices = await thirdPartyNotices(
      metafile,
      Object.keys(runtime).map((name) => `node_modules/${name}`),
    );
    await writeFile(join(staging, 'THIRD-PARTY-NOTICES.txt'), notices);
    const packagePath = join(folder, `${manifest.name}-${target}-${manifest.version}.vsix`);
    await mkdir(folder, { recursive: true });
    await createVSIX({
      cwd: staging,
      target,
      packagePath,
      // The bundles hold all libraries but the runtime, which lies beside them.
      dependencies: false,
      allowMissingRepository: true,
      rewriteRelativeLinks: false,
    });
    return packagePath;
  } finally {
    await rm(staging, { recursive: true, force: true });
  }
}

/**
 * Puts the native runtime where the bundles' `import('onnxruntime-node')` finds it. Not into the staging folder's own
 * node_modules: the packager takes from there only what `npm list` accepts as a whole installation.
 */
async function stageRuntime(target, folder) {
  const [system, processor] = target.split('-');
  for (const [name, paths] of Object.entries(runtime)) {
    for (const path of [
      ...paths,
      ...(name === 'onnxruntime-node' ? [`bin/napi-v6/${system}/${processor}`] : []),
    ]) {
      await cp(join(root, 'node_modules', name, path), join(folder, name, path), { recursive: true });
    }
  }
}
