/**
 * What a failure means for whoever asked: what was checked is not fit, their input, the work itself, or their own wish
 * to stop.
 */
export type FailureKind = 'unfit' | 'usage' | 'work' | 'cancelled';

/** Where a failure lies, as far as it is known. `line` is 1-based. */
export interface Place {
  readonly file?: string;
  readonly line?: number;
  readonly field?: string;
  readonly url?: string;
}

export interface UserErrorOptions {
  /** `usage` unless told: wrong arguments or unusable input. */
  readonly kind?: FailureKind;
  readonly place?: Place;
  /** One sentence: what the person can do about it. */
  readonly remedy?: string;
  readonly cause?: unknown;
}

/** Exit codes of the command line. */
export const exitCodes: Readonly<Record<FailureKind, number>> = {
  unfit: 1,
  usage: 2,
  work: 3,
  cancelled: 130,
};

/**
 * A failure that a person can act on. `message` says what failed and why, without a stack; the cause goes to
 * the log. Everything else that is thrown is a defect of ours.
 */
export class UserError extends Error {
  readonly kind: FailureKind;
  readonly place: Place;
  readonly remedy: string | undefined;

  constructor(message: string, options: UserErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'UserError';
    this.kind = options.kind ?? 'usage';
    this.place = options.place ?? {};
    this.remedy = options.remedy;
  }
}

/** The error for work that its owner stopped. */
export function cancelledError(what: string): UserError {
  return new UserError(`${what} was cancelled`, { kind: 'cancelled' });
}

/** Throws {@link cancelledError} once `signal` is aborted. */
export function throwIfCancelled(signal: AbortSignal | undefined, what: string): void {
  if (signal?.aborted) throw cancelledError(what);
}

function formatPlace(place: Place): string {
  const where = place.file ?? place.url ?? '';
  const line = place.line === undefined ? '' : `:${place.line}`;
  const field = place.field === undefined ? '' : `${where ? ', ' : ''}${place.field}`;
  return `${where}${line}${field}`;
}

const systemMessages: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or folder',
  EACCES: 'permission denied',
  EPERM: 'operation not permitted',
  EISDIR: 'is a folder, not a file',
  ENOTDIR: 'a part of the path is a file, not a folder',
  EEXIST: 'exists already',
  ENOSPC: 'the disk is full',
  EROFS: 'the file system is read-only',
  EMFILE: 'too many open files',
  EDQUOT: 'the disk quota is used up',
};

/** Failures of the machine rather than of the input: exit code 3, not 2. */
const workCodes = new Set(['ENOSPC', 'EDQUOT', 'EROFS', 'EMFILE', 'EIO', 'EPERM', 'EACCES']);

/** Turns a Node system error into one that names the path and says what it means; other values pass through. */
export function fromSystemError(error: unknown, what: string, path?: string): unknown {
  if (!(error instanceof Error) || error instanceof UserError) return error;
  const { code, path: errorPath } = error as NodeJS.ErrnoException;
  const meaning = code === undefined ? undefined : systemMessages[code];
  if (meaning === undefined || code === undefined) return error;
  const file = path ?? errorPath;
  return new UserError(`${what}: ${meaning}`, {
    kind: workCodes.has(code) ? 'work' : 'usage',
    ...(file === undefined ? {} : { place: { file } }),
    ...(code === 'ENOSPC' ? { remedy: 'Free some space or choose another disk, then run it again.' } : {}),
    cause: error,
  });
}

/** Whether the message names the place itself, not just something below it. */
function mentions(message: string, place: string): boolean {
  const end = message.indexOf(place) + place.length;
  return message.includes(place) && !/[\w/\\]/.test(message.charAt(end));
}

/** One paragraph for a person: place, message, remedy. Never a stack. */
export function describeError(error: unknown): string {
  const known = fromSystemError(error, 'The operation failed');
  if (known instanceof UserError) {
    const place = formatPlace(known.place);
    const prefix = place && !mentions(known.message, place) ? `${place}: ` : '';
    return `${prefix}${known.message}${known.remedy ? `. ${known.remedy}` : ''}`;
  }
  return `Unexpected failure: ${known instanceof Error ? known.message : String(known)}`;
}

/** The failure kind of anything thrown; what is not a {@link UserError} is a failure while working. */
export function failureKind(error: unknown): FailureKind {
  const known = fromSystemError(error, 'The operation failed');
  return known instanceof UserError ? known.kind : 'work';
}
