import type { WorkOptions } from '../base/index.ts';

/** Where a model runs; `auto` takes the best that works. */
export type Provider = 'auto' | 'cpu' | 'webgpu' | 'cuda' | 'dml' | 'coreml';

export interface ModelOptions {
  readonly provider?: Provider;
  /** Threads for one operator; as many as pay for the model and leave a core to others, unless told. */
  readonly threads?: number;
  readonly signal?: AbortSignal;
}

export interface GenerateRequest {
  readonly tokens: readonly number[];
  readonly maxNewTokens: number;
  /** Below 1e-5 means greedy. */
  readonly temperature: number;
  readonly topP: number;
  /** How many candidates to report a token; 0 for none. */
  readonly topK: number;
  /** Generation ends once the decoded text holds one of these. */
  readonly stop: readonly string[];
  /** Also report log-probabilities of the prompt's tokens. */
  readonly echo: boolean;
  readonly seed?: number;
}

export interface GeneratedToken {
  readonly id: number;
  readonly text: string;
  /** Natural logarithm, the model's own; finite, at most 0. */
  readonly logprob: number;
  readonly top: readonly { readonly id: number; readonly text: string; readonly logprob: number }[];
}

export interface Generation {
  /** Decoded completion, cut before the first stop sequence. */
  readonly text: string;
  readonly tokens: readonly GeneratedToken[];
  /**
   * With `echo`: the prompt's tokens without the special ones that the tokenizer put around it. One that nothing
   * comes before has log-probability 0 by convention.
   */
  readonly promptTokens: readonly GeneratedToken[];
  readonly finish: 'stop' | 'length' | 'endoftext';
}

/** A checkpoint loaded in a process of its own. */
export interface LanguageModel {
  readonly provider: Exclude<Provider, 'auto'>;
  readonly contextTokens: number;
  readonly architecture: string;
  /** Of its process. */
  readonly pid: number | undefined;
  /** Settles when the process has ended; with a message when nobody asked it to. */
  readonly exited: Promise<{ readonly code: number | null; readonly message?: string }>;
  /**
   * Token ids of `text`, with the special tokens that the tokenizer puts around it; with `maxLength`, at most that
   * many from the left.
   */
  tokenize(text: string, maxLength?: number): number[];
  /** The text of ids from {@link tokenize}, without the special tokens that it added. Throws for unknown ids. */
  decode(tokens: readonly number[]): string;
  generate(request: GenerateRequest, options?: WorkOptions): Promise<Generation>;
  /** Ends the process. */
  close(): Promise<void>;
}
