import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** What a window of the workbench is opened with. */
export interface WindowOptions {
  /** The folder that the window shows. */
  readonly folder?: string;
  /** The extension to run from its source tree, as in development. */
  readonly extensionDevelopmentPath?: string;
  /** The module whose `run` is called in the extension host. */
  readonly extensionTestsPath?: string;
}

export interface ServerOptions {
  /** Path of the VS Code server's server-main.js. */
  readonly main: string;
  /** Whether folders are trusted without asking; without it a window starts untrusted. */
  readonly trusted: boolean;
  /** An extension that every window has: a VSIX file, or the folder of a source tree. */
  readonly extension?: string;
  /** Whether windows take the extension development arguments; it hides notifications. Default false. */
  readonly development?: boolean;
  readonly port?: number;
}

/** A running VS Code server with data of its own, which vanish with it. */
export interface WorkbenchServer {
  readonly url: string;
  windowUrl(options: WindowOptions): string;
  /** Gives windows opened from now on a new user, with these settings. */
  resetUser(settings: Readonly<Record<string, unknown>>): Promise<void>;
  /** What extension hosts that started since `since` (ms since 1970) logged about this extension, and its channels. */
  readExtensionLogs(since?: number): Promise<string>;
  stop(): Promise<void>;
}

/** Settings that keep a fresh window quiet: no start page, no tips, no look-ups on the network. */
const quiet = {
  'workbench.startupEditor': 'none',
  'workbench.tips.enabled': false,
  'workbench.enableExperiments': false,
  'extensions.autoCheckUpdates': false,
  'extensions.autoUpdate': false,
  'extensions.ignoreRecommendations': true,
  'telemetry.telemetryLevel': 'off',
  'chat.disableAIFeatures': true,
  'chat.commandCenter.enabled': false,
  'git.openRepositoryInParentFolders': 'never',
  'window.menuBarVisibility': 'compact',
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'files.simpleDialog.enable': true,
};

/**
 * Starts VS Code's server on a free port of this machine and waits until it serves the workbench.
 * @throws Error with its output when it ends or stays silent for 60 s
 */
export async function startServer(options: ServerOptions): Promise<WorkbenchServer> {
  const { main, trusted, extension, development = false, port = 0 } = options;
  // Short, as sockets of the extension host lie below it and their paths are limited to some 100 characters.
  const data = await mkdtemp(join(tmpdir(), 'studio-'));
  const folders = ['--server-data-dir', data];
  const stop = async (child?: ChildProcess) => {
    await end(child);
    await rm(data, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  };
  if (extension?.endsWith('.vsix')) {
    const installer = start([
      main,
      ...folders,
      '--install-extension',
      extension,
      '--accept-server-license-terms',
    ]);
    const [code] = await once(installer.child, 'close');
    if (code !== 0 || !/successfully installed/.test(installer.output())) {
      await stop();
      throw new Error(`${extension} cannot be installed:\n${installer.output()}`);
    }
  } else if (extension !== undefined) {
    // The server takes in what lies in its extensions folder when it starts for the first time.
    await mkdir(join(data, 'extensions'));
    await symlink(extension, join(data, 'extensions/submission-studio.submission-studio-dev'));
  }
  const user = join(data, 'data/User');
  const resetUser = async (settings: Readonly<Record<string, unknown>>) => {
    await rm(user, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
    await mkdir(user, { recursive: true });
    await writeFile(join(user, 'settings.json'), JSON.stringify({ ...quiet, ...settings }, null, 2));
  };
  await resetUser({});
  const { child, output } = start([
    main,
    ...['--host', '127.0.0.1', '--port', String(port), '--without-connection-token'],
    ...['--accept-server-license-terms', '--disable-telemetry'],
    ...folders,
    ...(development ? ['--enable-smoke-test-driver'] : []),
    ...(trusted ? ['--disable-workspace-trust'] : []),
  ]);
  const deadline = Date.now() + 60_000;
  let listening: string | undefined;
  while (listening === undefined) {
    if (child.exitCode !== null || Date.now() > deadline) {
      await stop(child);
      throw new Error(`The VS Code server does not start:\n${output()}`);
    }
    await sleep(50);
    listening = /Extension host agent listening on (\d+)/.exec(output())?.[1];
  }
  const authority = `127.0.0.1:${listening}`;
  return {
    url: `http://${authority}/`,
    windowUrl: (options) => windowUrl(authority, options),
    resetUser,
    readExtensionLogs: (since = 0) => readExtensionLogs(join(data, 'data/logs'), since),
    stop: () => stop(child),
  };
}

function start(args: readonly string[]): { child: ChildProcess; output: () => string } {
  // The server runs under our Node; a workbench that was started from a terminal of VS Code must not lead it astray.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('VSCODE_')));
  const child = spawn(process.execPath, [...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  const keep = (data: Buffer) => {
    text += data.toString();
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  return { child, output: () => text };
}

async function end(child: ChildProcess | undefined): Promise<void> {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const closed = once(child, 'close');
  child.kill('SIGTERM');
  const killer = setTimeout(() => child.kill('SIGKILL'), 5_000);
  await closed;
  clearTimeout(killer);
}

function windowUrl(authority: string, options: WindowOptions): string {
  const remote = (path: string) => `vscode-remote://${authority}${path}`;
  const payload = [
    ...(options.extensionDevelopmentPath === undefined
      ? []
      : [['extensionDevelopmentPath', remote(options.extensionDevelopmentPath)]]),
    ...(options.extensionTestsPath === undefined
      ? []
      : [['extensionTestsPath', remote(options.extensionTestsPath)]]),
  ];
  const query = new URLSearchParams();
  if (options.folder === undefined) query.set('ew', 'true');
  else query.set('folder', options.folder);
  if (payload.length > 0) query.set('payload', JSON.stringify(payload));
  return `http://${authority}/?${query}`;
}

/** Lines about the extensions that VS Code itself brings. */
const foreign =
  /_doActivateExtension vscode\.|\[vscode\.\w+\]|workspaceStorage.*vscode\.lock|for 'search\.useIgnoreFiles'|Creating extension host with/;

async function readExtensionLogs(folder: string, since: number): Promise<string> {
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  const texts: string[] = [];
  for (const name of names.sort()) {
    if (!/exthost\d+[\\/](remoteexthost|submission-studio\.).*\.log$/.test(name)) continue;
    const path = join(folder, name);
    if ((await stat(path)).birthtimeMs < since) continue;
    const lines = (await readFile(path, 'utf8')).split('\n').filter((line) => !foreign.test(line));
    texts.push(`── ${name}`, ...lines);
  }
  return texts.join('\n');
}
