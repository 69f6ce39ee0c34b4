import { basename } from 'node:path';
import * as vscode from 'vscode';
import { UserError } from '../../base/index.ts';
import type { Endpoint, RunningEndpoint } from '../../serve/index.ts';
import { Disposable } from '../disposable.ts';
import { showFailure } from '../failures.ts';
import { stateKeys } from '../ids.ts';
import type { OutputLog } from '../log.ts';
import { settings } from '../settings.ts';
import { addressText } from '../submissions/stages.ts';
import type { Work } from '../work.ts';

/** What a submission is served by now. */
export interface LiveEndpoint {
  readonly endpoint: Endpoint;
  /** Present when we started the server and can stop it. */
  readonly server?: RunningEndpoint;
  /** The checkpoint that our server serves, absolute. */
  readonly checkpoint?: string;
}

/** The endpoints of the submissions: servers that we started, and those that were connected to. */
export class Servers extends Disposable {
  readonly #state: vscode.Memento;
  readonly #work: Work;
  readonly #log: OutputLog;
  readonly #live = new Map<string, LiveEndpoint>();
  readonly #changed = this.register(new vscode.EventEmitter<void>());

  readonly onDidChange = this.#changed.event;

  constructor(state: vscode.Memento, work: Work, log: OutputLog) {
    super();
    this.#state = state;
    this.#work = work;
    this.#log = log;
  }

  /** The endpoint of a submission, if it has one now. */
  of(folder: string): LiveEndpoint | undefined {
    return this.#live.get(folder);
  }

  get all(): readonly LiveEndpoint[] {
    return [...this.#live.values()];
  }

  /** The URL that a submission was last connected to, in this or an earlier window. */
  lastUrl(folder: string): string | undefined {
    return this.#state.get<Record<string, string>>(stateKeys.endpoints)?.[folder];
  }

  /** Starts our server, in a process of its own, for a checkpoint of a submission. */
  async start(folder: string, checkpoint: string, port = settings.serverPort()): Promise<Endpoint> {
    const running = this.#live.get(folder);
    if (running?.server !== undefined) {
      throw new UserError(`A server for this submission listens on ${running.endpoint.url} already`, {
        remedy: 'Stop it first.',
      });
    }
    const title = `serve ${basename(checkpoint)}`;
    const server = await this.#work.run({ kind: 'serve', title, folder }, async ({ signal }) => {
      const { startServerProcess } = await import('../../serve/index.ts');
      const provider = settings.serverProvider();
      const value = await startServerProcess({ checkpoint, port, provider, signal, log: this.#log });
      return { value, outcome: `listening on ${addressText(value.url)}` };
    });
    this.#live.set(folder, { endpoint: server, server, checkpoint });
    this.#changed.fire();
    void server.exited.then((end) => this.#ended(folder, server, end));
    return server;
  }

  #ended(
    folder: string,
    server: RunningEndpoint,
    { code, message }: Awaited<RunningEndpoint['exited']>,
  ): void {
    if (this.#live.get(folder)?.server !== server) return;
    this.#live.delete(folder);
    this.#changed.fire();
    // One that was stopped is out of the list before it ends.
    if (this.isDisposed) return;
    const why = message ?? `its process ended with code ${code}`;
    const error = new UserError(`The server on ${server.url} has ended: ${why}`, {
      kind: 'work',
      remedy: 'Start it again; the log has its last words.',
    });
    void showFailure('Start Server', error, this.#log);
  }

  /** Makes a server that someone else started the endpoint of a submission. */
  async connect(folder: string, endpoint: Endpoint): Promise<void> {
    await this.stop(folder);
    this.#live.set(folder, { endpoint });
    const urls = this.#state.get<Record<string, string>>(stateKeys.endpoints) ?? {};
    await this.#state.update(stateKeys.endpoints, { ...urls, [folder]: endpoint.url });
    this.#changed.fire();
  }

  /** Stops our server, or forgets one that was connected to. */
  async stop(folder: string): Promise<void> {
    const live = this.#live.get(folder);
    if (live === undefined) return;
    this.#live.delete(folder);
    this.#changed.fire();
    await live.server?.stop();
  }

  override dispose(): void {
    super.dispose();
    // The servers' processes end with ours in any case; this ends them at once.
    for (const { server } of this.#live.values()) void server?.stop();
    this.#live.clear();
  }
}
