import { randomUUID } from 'node:crypto';
import {
  cancelledError,
  describeError,
  failureKind,
  type Progress,
  type ReportProgress,
} from '../base/index.ts';
import type { Job, JobKind } from './types.ts';

export interface JobSpec {
  readonly kind: JobKind;
  readonly title: string;
  /** Absolute folder of the submission it belongs to, if any. */
  readonly folder?: string;
}

/** What the work of a job is given. */
export interface JobContext {
  readonly signal: AbortSignal;
  readonly onProgress: ReportProgress;
}

/** What the work of a job gives back: its value, and what came of it in a few words for people. */
export interface JobOutcome<T> {
  readonly value: T;
  readonly outcome: string;
}

/** Ended jobs that are kept for looking at. */
const keepEnded = 20;

/** The long tasks of this process: what runs, how far it is, what came of it. Each can be cancelled. */
export class JobList {
  readonly #jobs = new Map<string, Job>();
  readonly #controllers = new Map<string, AbortController>();
  readonly #listeners = new Set<() => void>();

  /** Running jobs first, then ended ones; each group newest first. */
  list(): readonly Job[] {
    const newestFirst = [...this.#jobs.values()].reverse();
    const active = (job: Job) => job.endedAt === undefined;
    return [...newestFirst.filter(active), ...newestFirst.filter((job) => !active(job))];
  }

  /** Calls `listener` after every change; the returned function ends that. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Runs `work` as a job and settles as it does; a job that was cancelled rejects with kind `cancelled`. */
  async run<T>(spec: JobSpec, work: (context: JobContext) => Promise<JobOutcome<T>>): Promise<T> {
    const id = randomUUID();
    const controller = new AbortController();
    this.#controllers.set(id, controller);
    this.#set({ ...spec, id, state: 'running', startedAt: Date.now() });
    try {
      const { value, outcome } = await work({
        signal: controller.signal,
        onProgress: (progress: Progress) => this.#update(id, { progress }),
      });
      this.#update(id, { state: 'done', outcome, endedAt: Date.now() });
      return value;
    } catch (error) {
      const endedAt = Date.now();
      if (controller.signal.aborted || failureKind(error) === 'cancelled') {
        this.#update(id, { state: 'cancelled', endedAt });
        throw failureKind(error) === 'cancelled' ? error : cancelledError(spec.title);
      }
      this.#update(id, { state: 'failed', error: describeError(error), endedAt });
      throw error;
    } finally {
      this.#controllers.delete(id);
      this.#prune();
    }
  }

  /** Asks a running job to stop; it ends as soon as its work notices. Unknown and ended jobs are ignored. */
  cancel(id: string): void {
    const controller = this.#controllers.get(id);
    if (!controller) return;
    this.#update(id, { state: 'stopping' });
    controller.abort();
  }

  /** Cancels everything that still runs. */
  cancelAll(): void {
    for (const id of [...this.#controllers.keys()]) this.cancel(id);
  }

  #update(id: string, change: Partial<Job>): void {
    const job = this.#jobs.get(id);
    if (job) this.#set({ ...job, ...change });
  }

  #set(job: Job): void {
    this.#jobs.set(job.id, job);
    for (const listener of this.#listeners) listener();
  }

  #prune(): void {
    const ended = [...this.#jobs.values()].filter((job) => job.endedAt !== undefined);
    for (const job of ended.slice(0, Math.max(0, ended.length - keepEnded))) this.#jobs.delete(job.id);
  }
}
