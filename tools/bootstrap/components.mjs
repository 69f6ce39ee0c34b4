// What the project's commands need beyond Node and npm: how to find it, and how to get it where it is missing.
// A component's `find` answers with where it is, or undefined; `install` makes it or throws an Error with the reason.
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { cached, cacheFolder, cacheRoot, isComplete } from './cache.mjs';
import { installModules, missingModules, node24, npm, root } from './node-modules.mjs';
import { aptInstall, isExecutable, onPath, run } from './shell.mjs';

const codeServer = { name: 'code-server', version: '4.139.1' };
const peers = { name: 'python-peers', version: '1' };

/** What parity tests compare with. A change here needs a new version above. */
const peerPackages = [
  ...['torch==2.13.0', 'crfm-helm==0.5.16', 'mergekit==0.1.5'],
  ...['transformers', 'peft', 'fastapi', 'uvicorn'],
];
const importPeers = 'import torch, transformers, peft, fastapi, uvicorn, mergekit, helm';

const serverMain = (folder) => join(folder, 'node_modules/code-server/lib/vscode/out/server-main.js');
const peersPython = (folder) =>
  process.platform === 'win32' ? join(folder, 'Scripts/python.exe') : join(folder, 'bin/python');

/** Chromium or Chrome where distributions and vendors put it. */
async function findChromium() {
  const named = process.env.SUBMISSION_STUDIO_CHROMIUM;
  if (named !== undefined) return (await isExecutable(named)) ? named : undefined;
  const programFiles = process.env.PROGRAMFILES ?? 'C:\\Program Files';
  const fixed = {
    darwin: [
      '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
      '/Applications/Chromium.app/Contents/MacOS/Chromium',
    ],
    win32: [join(programFiles, 'Google/Chrome/Application/chrome.exe')],
  };
  for (const path of fixed[process.platform] ?? []) if (await isExecutable(path)) return path;
  return onPath('chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable');
}

async function installChromium() {
  const named = process.env.SUBMISSION_STUDIO_CHROMIUM;
  if (named !== undefined) throw new Error(`SUBMISSION_STUDIO_CHROMIUM is no program: ${named}`);
  await aptInstall(['chromium'], 'neither Chromium nor Chrome was found');
}

/** Whether VS Code itself can show the tests here, instead of its server in a browser. */
export function desktopVsCode() {
  return (
    process.env.SUBMISSION_STUDIO_VSCODE !== undefined ||
    process.platform === 'darwin' ||
    process.platform === 'win32'
  );
}

/** VS Code as named by a person, or as @vscode/test-electron downloaded it before. */
async function findVsCode() {
  const named = process.env.SUBMISSION_STUDIO_VSCODE;
  if (named !== undefined) return (await isExecutable(named)) ? named : undefined;
  return readFile(vsCodePath, 'utf8').catch(() => undefined);
}

const vsCodePath = join(cacheRoot, 'vscode', 'path');

async function downloadVsCode() {
  if (process.env.SUBMISSION_STUDIO_VSCODE !== undefined) {
    throw new Error(`SUBMISSION_STUDIO_VSCODE is no program: ${process.env.SUBMISSION_STUDIO_VSCODE}`);
  }
  const cachePath = dirname(vsCodePath);
  await mkdir(cachePath, { recursive: true });
  const script = `import('@vscode/test-electron').then(async ({ downloadAndUnzipVSCode }) =>
    process.stdout.write(JSON.stringify(await downloadAndUnzipVSCode({ cachePath: process.argv[1] }))))`;
  const output = await run(node24, ['-e', script, cachePath], { cwd: root });
  await writeFile(vsCodePath, JSON.parse(output.trim().split('\n').at(-1)));
}

async function installCodeServer(folder) {
  if (process.platform === 'win32') {
    throw new Error(
      'the VS Code server cannot be built on Windows; set SUBMISSION_STUDIO_VSCODE to Code.exe',
    );
  }
  if (process.platform === 'linux') {
    const missing = [
      ...(existsSync('/usr/include/gssapi/gssapi.h') ? [] : ['libkrb5-dev']),
      ...((await onPath('g++')) && (await onPath('make')) ? [] : ['build-essential']),
      ...((await onPath('python3')) ? [] : ['python3']),
    ];
    if (missing.length > 0) await aptInstall(missing, 'the VS Code server compiles native modules');
  }
  await writeFile(join(folder, 'package.json'), '{ "private": true }\n');
  await npm(['install', `code-server@${codeServer.version}`, '--omit=dev', '--no-audit', '--no-fund'], {
    cwd: folder,
    // Its install script refuses every Node but 24, and npm's scripts take the first on PATH.
    env: { PATH: [dirname(node24), process.env.PATH].join(delimiter) },
  });
  if (!existsSync(serverMain(folder)))
    throw new Error('npm installed code-server without its VS Code server');
}

async function installPeers(folder) {
  const python = await onPath('python3', 'python');
  if (python === undefined) throw new Error('Python 3.10 or newer is not on PATH (python.org)');
  await run(python, ['-c', 'import sys; assert sys.version_info >= (3, 10), sys.version']);
  try {
    await run(python, ['-m', 'venv', folder]);
  } catch {
    await aptInstall(['python3-venv'], 'Python cannot make virtual environments');
    await run(python, ['-m', 'venv', folder]);
  }
  const own = peersPython(folder);
  await run(own, ['-m', 'pip', 'install', '--quiet', ...peerPackages]);
  // crfm-helm brings a torchvision that need not fit this torch, and transformers imports it when it is there.
  await run(own, ['-m', 'pip', 'uninstall', '--quiet', '--yes', 'torchvision']);
  await run(own, ['-c', importPeers]);
}

export const components = {
  node_modules: {
    why: 'the libraries of package-lock.json',
    takes: 'about half a minute',
    find: async () => ((await missingModules()).length === 0 ? join(root, 'node_modules') : undefined),
    install: installModules,
  },
  chromium: {
    why: 'the browser that shows the workbench to UI tests; SUBMISSION_STUDIO_CHROMIUM names another',
    takes: 'about a minute',
    find: findChromium,
    install: installChromium,
  },
  vscode: {
    why: 'VS Code itself, to run extension tests in; SUBMISSION_STUDIO_VSCODE names one that is installed',
    takes: 'about a minute, 500 MB',
    needs: ['node_modules'],
    find: findVsCode,
    install: downloadVsCode,
  },
  [codeServer.name]: {
    why: "VS Code's own server and workbench for extension and UI tests",
    takes: 'about 2 minutes, 620 MB',
    needs: ['node_modules'],
    find: async () => {
      const folder = cacheFolder(codeServer.name, codeServer.version);
      return (await isComplete(folder)) ? serverMain(folder) : undefined;
    },
    install: () => cached(codeServer.name, codeServer.version, installCodeServer),
  },
  [peers.name]: {
    why: 'the Python libraries that parity tests compare with: torch, transformers, crfm-helm, mergekit',
    takes: 'one to five minutes, 2 GB or more',
    find: async () => {
      const folder = cacheFolder(peers.name, peers.version);
      return (await isComplete(folder)) ? peersPython(folder) : undefined;
    },
    install: () =>
      cached(peers.name, peers.version, installPeers, (folder) =>
        run(peersPython(folder), ['-c', importPeers]).then(
          () => true,
          () => false,
        ),
      ),
  },
};
