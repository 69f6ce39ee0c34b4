import { UserError } from './errors.ts';

const decimal: Readonly<Record<string, number>> = { '': 1, K: 1e3, M: 1e6, G: 1e9, T: 1e12 };
const binary: Readonly<Record<string, number>> = { K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 };

/**
 * Parses a size in bytes: a plain number, mergekit's decimal units (`60K`, `200M`, `5GB`) or IEC ones (`1GiB`).
 * `5B` means 5e9 as in mergekit. Throws a usage error that names `field`.
 */
export function parseSize(text: string, field: string): number {
  const match = /^\s*(\d+(?:\.\d+)?)\s*([KMGT]?)(iB|B)?\s*$/i.exec(text);
  const amount = Number(match?.[1]);
  const unit = (match?.[2] ?? '').toUpperCase();
  const suffix = (match?.[3] ?? '').toLowerCase();
  const factor = suffix === 'ib' ? binary[unit] : unit === '' && suffix === 'b' ? 1e9 : decimal[unit];
  if (!match || factor === undefined) {
    throw new UserError(`"${text}" is not a size`, {
      place: { field },
      remedy: 'Write a number with a unit, such as 200M, 5GB or 1GiB.',
    });
  }
  return Math.floor(amount * factor);
}

const sizeSteps: readonly (readonly [number, string])[] = [
  [1e12, 'TB'],
  [1e9, 'GB'],
  [1e6, 'MB'],
  [1e3, 'kB'],
];

/** Bytes for people, in decimal units with at most three digits: `1.2 MB`. */
export function formatBytes(bytes: number): string {
  for (const [size, unit] of sizeSteps) {
    if (bytes >= size * 0.9995) return `${(bytes / size).toPrecision(3).replace(/\.?0+$/, '')} ${unit}`;
  }
  return `${bytes} B`;
}

/** A duration for people: `0.4 s`, `12 s`, `1 m 04 s`, `1 h 12 m`. */
export function formatDuration(seconds: number): string {
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} m ${String(whole % 60).padStart(2, '0')} s`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} m`;
}

/** `1 model`, `3 models`. */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
