import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { cancelledError, entryUrl, throwIfCancelled, UserError, type WorkOptions } from '../base/index.ts';
import { openCheckpoint } from '../checkpoint/index.ts';
import { type FromHost, fromFailure, type ToHost } from './protocol.ts';
import { loadTokenizer, type Tokenizer } from './tokenizer.ts';
import type { GenerateRequest, Generation, LanguageModel, ModelOptions } from './types.ts';

/** The providers that this version runs. */
const available = ['cpu'] as const;

/** Without these the C library keeps what the runtime frees; they must stand before the process begins. */
const memoryEnvironment = { MALLOC_MMAP_THRESHOLD_: '1048576', MALLOC_TRIM_THRESHOLD_: '1048576' };

/** Characters of the process's stderr that are kept for an error report. */
const stderrKept = 4000;

/**
 * Loads a checkpoint in a process of its own. Throws a usage error for a checkpoint that cannot be run, naming the
 * file and field, and for a provider that is not available.
 */
export async function loadModel(folder: string, options: ModelOptions = {}): Promise<LanguageModel> {
  const provider = options.provider ?? 'auto';
  if (provider !== 'auto' && provider !== 'cpu') {
    throw new UserError(`The provider ${provider} is not available; available: ${available.join(', ')}`, {
      place: { field: 'provider' },
      remedy: 'Use auto or cpu.',
    });
  }
  throwIfCancelled(options.signal, 'Loading the model');
  const host = new ModelHost();
  const cancel = () => host.kill();
  options.signal?.addEventListener('abort', cancel, { once: true });
  try {
    const [tokenizer, loaded] = await Promise.all([
      loadTokenizer(folder),
      host.load(folder, options.threads),
    ]);
    return new HostedModel(host, tokenizer, loaded);
  } catch (error) {
    host.kill();
    throwIfCancelled(options.signal, 'Loading the model');
    // That a folder is no checkpoint says more than what else it lacks.
    await openCheckpoint(folder);
    throw error;
  } finally {
    options.signal?.removeEventListener('abort', cancel);
  }
}

interface Pending {
  readonly resolve: (generation: Generation) => void;
  readonly reject: (error: unknown) => void;
  readonly onProgress?: WorkOptions['onProgress'];
}

type Loaded = FromHost & { kind: 'loaded' };

/** The parent's end of the model's process. */
class ModelHost {
  readonly exited: Promise<{ readonly code: number | null; readonly message?: string }>;
  private readonly child: ChildProcess;
  private readonly pending = new Map<number, Pending>();
  private nextId = 0;
  private stopped = false;
  private stderr = '';
  private failure: UserError | undefined;
  private onLoaded: { resolve: (loaded: Loaded) => void; reject: (error: unknown) => void } | undefined;

  constructor() {
    this.child = fork(fileURLToPath(entryUrl('model-host')), {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
      // In the editor the executable is Electron, which has to be told that it is Node here.
      env: { ...process.env, ...memoryEnvironment, ELECTRON_RUN_AS_NODE: '1' },
      execArgv: [],
    });
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr = (this.stderr + text).slice(-stderrKept);
    });
    this.child.on('message', (message: FromHost) => this.receive(message));
    this.exited = new Promise((resolve) => {
      this.child.once('error', (cause) => resolve(this.end(null, null, cause)));
      this.child.once('exit', (code, signal) => resolve(this.end(code, signal)));
    });
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  load(folder: string, threads: number | undefined): Promise<Loaded> {
    return new Promise((resolve, reject) => {
      if (this.failure) return reject(this.failure);
      this.onLoaded = { resolve, reject };
      this.send({ kind: 'load', folder, ...(threads === undefined ? {} : { threads }) });
    });
  }

  async generate(request: GenerateRequest, { signal, onProgress }: WorkOptions): Promise<Generation> {
    throwIfCancelled(signal, 'The request');
    const id = this.nextId++;
    const cancel = () => {
      this.send({ kind: 'cancel', id });
      // The process answers when it comes to it; nobody waits for that.
      this.pending.get(id)?.reject(cancelledError('The request'));
      this.pending.delete(id);
    };
    return new Promise<Generation>((resolve, reject) => {
      if (this.failure) return reject(this.failure);
      this.pending.set(id, { resolve, reject, ...(onProgress && { onProgress }) });
      signal?.addEventListener('abort', cancel, { once: true });
      this.send({ kind: 'generate', id, request, wantsProgress: onProgress !== undefined });
    }).finally(() => signal?.removeEventListener('abort', cancel));
  }

  kill(): void {
    this.stopped = true;
    // A run cannot be interrupted, and there is nothing to be saved.
    this.child.kill('SIGKILL');
  }

  private send(message: ToHost): void {
    if (this.child.connected) this.child.send(message, () => undefined);
  }

  private receive(message: FromHost): void {
    switch (message.kind) {
      case 'loaded':
        this.onLoaded?.resolve(message);
        break;
      case 'unloadable':
        this.onLoaded?.reject(fromFailure(message.failure));
        break;
      case 'progress':
        this.pending.get(message.id)?.onProgress?.(message.progress);
        break;
      case 'generated':
        this.pending.get(message.id)?.resolve(message.generation);
        this.pending.delete(message.id);
        break;
      case 'failed':
        this.pending.get(message.id)?.reject(fromFailure(message.failure));
        this.pending.delete(message.id);
        break;
    }
  }

  private end(code: number | null, signal: NodeJS.Signals | null, cause?: Error) {
    const how = signal === null ? `with code ${code}` : `by ${signal}`;
    this.failure = this.stopped
      ? cancelledError('The request')
      : new UserError(
          cause ? `The model's process cannot start: ${cause.message}` : `The model's process ended ${how}`,
          {
            kind: 'work',
            remedy:
              signal === 'SIGKILL' ? 'The memory may have been too small for the model.' : 'Start it again.',
            cause: cause ?? this.stderr,
          },
        );
    this.onLoaded?.reject(this.failure);
    for (const { reject } of this.pending.values()) reject(this.failure);
    this.pending.clear();
    return this.stopped ? { code: 0 } : { code, message: this.failure.message };
  }
}

class HostedModel implements LanguageModel {
  readonly provider = 'cpu';
  readonly contextTokens: number;
  readonly architecture: string;
  private readonly host: ModelHost;
  private readonly tokenizer: Tokenizer;

  constructor(host: ModelHost, tokenizer: Tokenizer, loaded: Loaded) {
    this.host = host;
    this.tokenizer = tokenizer;
    this.contextTokens = loaded.contextTokens;
    this.architecture = loaded.architecture;
  }

  get exited() {
    return this.host.exited;
  }

  get pid() {
    return this.host.pid;
  }

  tokenize(text: string, maxLength?: number): number[] {
    return this.tokenizer.encode(text, maxLength);
  }

  decode(tokens: readonly number[]): string {
    const foreign = tokens.find((id) => id < 0 || id >= this.tokenizer.size);
    if (foreign !== undefined) {
      throw new UserError(`The token ${foreign} is not one of the tokenizer's ${this.tokenizer.size}`, {
        place: { field: 'tokens' },
      });
    }
    return this.tokenizer.decode(tokens);
  }

  generate(request: GenerateRequest, options: WorkOptions = {}): Promise<Generation> {
    return this.host.generate(request, options);
  }

  async close(): Promise<void> {
    this.host.kill();
    await this.host.exited;
  }
}
