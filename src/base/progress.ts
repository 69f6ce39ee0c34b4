/** How far a long piece of work has come. `done` and `total` count `unit`s (tensors, bytes, requests …). */
export interface Progress {
  readonly done: number;
  readonly total: number;
  readonly unit: string;
  /** What is being done right now, in a few words. */
  readonly message?: string;
}

export type ReportProgress = (progress: Progress) => void;

/** What every long function takes: the wish to stop, and where to say how far it is. */
export interface WorkOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: ReportProgress;
}
