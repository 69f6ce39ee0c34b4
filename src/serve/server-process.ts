import { type ChildProcess, spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  cancelledError,
  entryUrl,
  exitCodes,
  silentLog,
  throwIfCancelled,
  UserError,
} from '../base/index.ts';
import type { ServeOptions } from './serve.ts';
import type { RunningEndpoint } from './types.ts';

/** How long a server may take to end by itself. */
const stopGrace = 5000;

const stderrKept = 4000;

/**
 * Starts `submission serve` in a process of its own and resolves when it listens. It ends when it is stopped or when
 * this process does. Throws what the server says when it cannot start.
 */
export async function startServerProcess(options: ServeOptions): Promise<RunningEndpoint> {
  const { host = '127.0.0.1', port = 8080, provider = 'auto', signal, log = silentLog } = options;
  const checkpoint = resolve(options.checkpoint);
  throwIfCancelled(signal, 'Starting the server');
  const child = spawn(
    process.execPath,
    [
      ...[fileURLToPath(entryUrl('cli')), 'serve', checkpoint],
      ...['--host', host, '--port', String(port), '--provider', provider],
    ],
    // The channel carries nothing; that it closes tells the server that its parent is gone.
    { stdio: ['ignore', 'pipe', 'pipe', 'ipc'], env: { ...process.env, ELECTRON_RUN_AS_NODE: '1' } },
  );
  let stderr = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-stderrKept);
    for (const line of text.split('\n')) if (line.trim()) log.info(line);
  });
  let stopping = false;
  let listening = false;
  const exited = new Promise<{ code: number | null; message?: string }>((settle) => {
    child.once('error', (error) => settle({ code: null, message: error.message }));
    // Node sends no `close` to a child whose channel we have closed.
    child.once('exit', () => stopping && settle({ code: 0 }));
    child.once('close', (code, killedBy) =>
      settle(
        stopping
          ? { code: 0 }
          : { code, message: lastLine(stderr) ?? `The server ended (${killedBy ?? code})` },
      ),
    );
  });
  const stop = async () => {
    stopping = true;
    // One that has not begun has nothing to end in order.
    await end(child, exited, listening ? stopGrace : 0);
  };
  const cancel = () => void stop();
  signal?.addEventListener('abort', cancel, { once: true });
  try {
    const url = await Promise.race([listeningUrl(child), exited.then((exit) => failedStart(exit))]);
    listening = true;
    return { url, via: 'embedded', title: checkpoint, exited, stop };
  } catch (error) {
    await stop();
    throwIfCancelled(signal, 'Starting the server');
    throw error;
  } finally {
    signal?.removeEventListener('abort', cancel);
  }
}

/** The URL of the line `listening on URL`; never settles when that line does not come. */
function listeningUrl(child: ChildProcess): Promise<string> {
  return new Promise((settle) => {
    let text = '';
    child.stdout?.setEncoding('utf8').on('data', (part: string) => {
      text += part;
      const url = /^listening on (\S+)\r?\n/m.exec(text)?.[1];
      if (url !== undefined) settle(url);
    });
  });
}

function failedStart({ code, message }: { code: number | null; message?: string }): never {
  if (code === exitCodes.cancelled) throw cancelledError('Starting the server');
  throw new UserError(message ?? 'The server ended before it listened', {
    kind: code === exitCodes.usage ? 'usage' : 'work',
  });
}

function lastLine(text: string): string | undefined {
  return text.trim().split('\n').at(-1) || undefined;
}

async function end(child: ChildProcess, exited: Promise<unknown>, grace: number): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  // Closing the channel is understood on every platform; signals are not.
  if (child.connected) child.disconnect();
  else child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), grace);
  await exited;
  clearTimeout(timer);
}
