import { type FailureKind, failureKind, type Place, type Progress, UserError } from '../base/index.ts';
import type { GenerateRequest, Generation } from './types.ts';

/** What the model's process is told. Requests are answered one after the other, in the order of their arrival. */
export type ToHost =
  | { readonly kind: 'load'; readonly folder: string; readonly threads?: number }
  | {
      readonly kind: 'generate';
      readonly id: number;
      readonly request: GenerateRequest;
      readonly wantsProgress: boolean;
    }
  | { readonly kind: 'cancel'; readonly id: number };

/** What it answers. */
export type FromHost =
  | { readonly kind: 'loaded'; readonly architecture: string; readonly contextTokens: number }
  | { readonly kind: 'unloadable'; readonly failure: Failure }
  | { readonly kind: 'generated'; readonly id: number; readonly generation: Generation }
  | { readonly kind: 'failed'; readonly id: number; readonly failure: Failure }
  | { readonly kind: 'progress'; readonly id: number; readonly progress: Progress };

/** An error on its way between processes. */
export interface Failure {
  readonly message: string;
  readonly kind: FailureKind;
  readonly place: Place;
  readonly remedy?: string;
  /** Of the original error and its causes, for the log. */
  readonly details: string;
}

export function toFailure(error: unknown, details: string): Failure {
  const message = error instanceof Error ? error.message : String(error);
  const known = error instanceof UserError;
  return {
    message: known ? message : `The model failed: ${message}`,
    kind: failureKind(error),
    place: known ? error.place : {},
    ...(known && error.remedy !== undefined ? { remedy: error.remedy } : {}),
    details,
  };
}

export function fromFailure({ message, kind, place, remedy, details }: Failure): UserError {
  return new UserError(message, { kind, place, ...(remedy === undefined ? {} : { remedy }), cause: details });
}
