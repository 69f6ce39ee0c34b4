/** Where details go that a person need not see at once. Never receives an unmasked secret: see {@link maskSecrets}. */
export interface Log {
  debug(message: string): void;
  info(message: string): void;
  warn(message: string): void;
  /** `error` may be anything thrown; its stack and causes are written. */
  error(message: string, error?: unknown): void;
}

export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} };

const secretPatterns: readonly RegExp[] = [
  /hf_[A-Za-z0-9]{20,}/g,
  /\bgh[pousr]_[A-Za-z0-9]{20,}/g,
  /\bsk-[A-Za-z0-9_-]{20,}/g,
  /((?:wandb|api)[_-]?(?:api[_-]?)?key["'\s:=]+)[A-Za-z0-9]{32,}/gi,
];

/** Replaces what looks like a credential by its first characters and dots. */
export function maskSecrets(text: string): string {
  return secretPatterns.reduce(
    (masked, pattern) =>
      masked.replace(pattern, (found: string, prefix: unknown) =>
        typeof prefix === 'string' ? `${prefix}…` : `${found.slice(0, 3)}…`,
      ),
    text,
  );
}

/** The stack of an error and of its causes, masked, for the log. */
export function errorDetails(error: unknown): string {
  const parts: string[] = [];
  for (let current: unknown = error; current !== undefined; ) {
    parts.push(current instanceof Error ? (current.stack ?? current.message) : String(current));
    current = current instanceof Error ? current.cause : undefined;
  }
  return maskSecrets(parts.join('\ncaused by: '));
}
