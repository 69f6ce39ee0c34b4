// Running programs for the tools: quiet while all is well, everything said when it is not.
import { spawn } from 'node:child_process';
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { parseArgs } from 'node:util';

/** One line for the person at the terminal. Always on stderr: stdout belongs to the command that was asked for. */
export function say(line) {
  process.stderr.write(`${line}\n`);
}

/**
 * Runs a program to its end and returns what it wrote to stdout.
 * @throws Error with its output, shortened, when it ends with anything but 0
 */
export function run(file, args, { cwd, env } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      // npm is a script on Windows, which only a shell can start.
      shell: process.platform === 'win32' && !file.endsWith('.exe'),
    });
    let stdout = '';
    let output = '';
    child.stdout.on('data', (data) => {
      stdout += data;
      output += data;
    });
    child.stderr.on('data', (data) => {
      output += data;
    });
    child.on('error', (error) => reject(new Error(`${file} cannot be started: ${error.message}`)));
    child.on('close', (code, signal) => {
      if (code === 0) return resolve(stdout);
      reject(new Error(`${[file, ...args].join(' ')} ended with ${code ?? signal}:\n${excerpt(output)}`));
    });
  });
}

/** The beginning and the end of what a program said: errors come first in some, last in others. */
function excerpt(output) {
  const lines = output.trim().split('\n');
  return (lines.length <= 24 ? lines : [...lines.slice(0, 12), '…', ...lines.slice(-12)]).join('\n');
}

/** Runs a program that shares this one's terminal; resolves to its exit code. */
export function runVisibly(file, args, { cwd, env, stdio = 'inherit' } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { cwd, env: { ...process.env, ...env }, stdio });
    // The terminal sends Ctrl-C to both: the child decides how it ends, we pass on its answer.
    const wait = () => {};
    const pass = () => child.kill('SIGTERM');
    process.on('SIGINT', wait);
    process.on('SIGTERM', pass);
    const stop = () => {
      process.off('SIGINT', wait);
      process.off('SIGTERM', pass);
    };
    child.on('error', (error) => {
      stop();
      reject(new Error(`${file} cannot be started: ${error.message}`));
    });
    child.on('close', (code, signal) => {
      stop();
      resolve(code ?? (signal === 'SIGINT' || signal === 'SIGTERM' ? 130 : 1));
    });
  });
}

export async function isExecutable(path) {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

/** The first of these programs that lies on PATH, as a full path. */
export async function onPath(...names) {
  const suffixes = process.platform === 'win32' ? ['.exe', '.cmd'] : [''];
  for (const name of names) {
    for (const folder of (process.env.PATH ?? '').split(delimiter).filter(Boolean)) {
      for (const suffix of suffixes) {
        const path = join(folder, name + suffix);
        if (await isExecutable(path)) return path;
      }
    }
  }
  return undefined;
}

/**
 * Installs Debian packages, where that is possible without asking anybody.
 * @throws Error that names the packages, for a person to install
 */
export async function aptInstall(packages, why) {
  const root = process.getuid?.() === 0;
  if (!root || (await onPath('apt-get')) === undefined) {
    throw new Error(`${why}; install it (on Debian and Ubuntu: sudo apt-get install ${packages.join(' ')})`);
  }
  say(`bootstrap: apt-get install ${packages.join(' ')} (${why})`);
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  await run('apt-get', ['update', '-qq'], { env });
  await run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...packages], { env });
}

/** The arguments of a command of ours, or its exit with 2 and the reason. @param config as for node:util's parseArgs */
export function commandArguments(config) {
  try {
    return parseArgs(config);
  } catch (error) {
    say(error.message);
    process.exit(2);
  }
}
