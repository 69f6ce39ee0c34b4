import { resolve } from 'node:path';
import { type Log, silentLog, throwIfCancelled } from '../base/index.ts';
import { loadModel, type Provider } from '../model/index.ts';
import { ContractServer } from './server.ts';
import type { RunningEndpoint } from './types.ts';

export interface ServeOptions {
  /** Folder in Hugging Face layout. */
  readonly checkpoint: string;
  /** 127.0.0.1 unless told. */
  readonly host?: string;
  /** 8080 unless told; 0 takes a free one. */
  readonly port?: number;
  readonly provider?: Provider;
  /** Cancels the loading; a server that runs is stopped by its `stop`. */
  readonly signal?: AbortSignal;
  readonly log?: Log;
}

/**
 * Serves a checkpoint over HTTP from this process, the model in one of its own. Throws a usage error when the port
 * is in use or the checkpoint cannot be run.
 */
export async function serveCheckpoint(options: ServeOptions): Promise<RunningEndpoint> {
  const { host = '127.0.0.1', port = 8080, provider = 'auto', log = silentLog, signal } = options;
  const checkpoint = resolve(options.checkpoint);
  throwIfCancelled(signal, 'Starting the server');
  const server = new ContractServer(checkpoint, log);
  // Before the model: loading it takes a while, and a port in use is known at once.
  const url = await server.listen(host, port);
  try {
    const model = await loadModel(checkpoint, { provider, ...(signal && { signal }) });
    server.serve(model);
    log.info(`serving ${checkpoint} at ${url} on ${model.provider}`);
    const exited = model.exited.then(async (exit) => {
      if (exit.message !== undefined) log.error(exit.message);
      await server.stop();
      return exit;
    });
    const stop = async () => {
      await server.stop();
      await model.close();
      await exited;
    };
    return { url, via: 'embedded', title: checkpoint, exited, stop };
  } catch (error) {
    await server.stop();
    throw error;
  }
}
