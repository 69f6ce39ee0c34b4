import {
  errorDetails,
  type FailureKind,
  fromSystemError,
  type Place,
  type Progress,
  UserError,
} from '../../base/index.ts';

/** What the thread of a task is started with. */
export interface TaskRequest {
  readonly name: string;
  readonly input: unknown;
}

/** What the owner may tell the thread while it works. */
export type ToTask = { readonly kind: 'cancel' };

/** What the thread tells its owner. */
export type FromTask =
  | { readonly kind: 'progress'; readonly progress: Progress }
  | { readonly kind: 'done'; readonly result: unknown }
  | { readonly kind: 'failed'; readonly error: TaskError };

/** An error as plain data: threads lose the class of what they throw. */
export interface TaskError {
  readonly message: string;
  /** Missing for defects of ours. */
  readonly user?: { readonly kind: FailureKind; readonly place: Place; readonly remedy?: string };
  /** Stack and causes, for the log. */
  readonly details: string;
}

export function packError(thrown: unknown): TaskError {
  const error = fromSystemError(thrown, 'The operation failed');
  const message = error instanceof Error ? error.message : String(error);
  const details = errorDetails(error);
  if (!(error instanceof UserError)) return { message, details };
  const { kind, place, remedy } = error;
  return { message, details, user: { kind, place, ...(remedy === undefined ? {} : { remedy }) } };
}

export function unpackError({ message, user, details }: TaskError): Error {
  const cause = new Error(message);
  cause.stack = details;
  return user === undefined ? cause : new UserError(message, { ...user, cause });
}
