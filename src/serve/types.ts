/** A base URL that speaks the challenge's HTTP contract. */
export interface Endpoint {
  /** Without a trailing slash. */
  readonly url: string;
  readonly via: 'embedded' | 'docker' | 'python' | 'external';
  /** What it serves, for people. */
  readonly title: string;
}

/** An endpoint that we started and can stop. */
export interface RunningEndpoint extends Endpoint {
  /** Settles when the server has ended by itself or by `stop`. */
  readonly exited: Promise<{ readonly code: number | null; readonly message?: string }>;
  stop(): Promise<void>;
}

export interface ContractCheck {
  readonly id: string;
  /** What is checked, in one sentence. */
  readonly title: string;
  readonly pass: boolean;
  readonly detail: string;
}

export interface ContractReport {
  readonly pass: boolean;
  readonly checks: readonly ContractCheck[];
}

/** The eight fields of a /process request, as HELM's client sends them. */
export interface ProcessRequest {
  readonly prompt: string;
  readonly temperature: number;
  readonly num_return_sequences: number;
  readonly max_new_tokens: number;
  readonly top_p: number;
  readonly echo_prompt: boolean;
  readonly top_k_per_token: number;
  readonly stop_sequences: readonly string[];
}
