import { InvalidArgumentError } from 'commander';
import { describeError, parseSize } from '../base/index.ts';

/** An option that takes a whole number from `least` to `most`. */
export function integer(least: number, most = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < least || value > most) {
      const range = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`;
      throw new InvalidArgumentError(`It takes a whole number ${range}.`);
    }
    return value;
  };
}

/** An option that takes a size in bytes. */
export function size(text: string): number {
  try {
    const bytes = parseSize(text, 'size');
    if (bytes === 0) throw new InvalidArgumentError('It takes a size above zero.');
    return bytes;
  } catch (error) {
    throw error instanceof InvalidArgumentError ? error : new InvalidArgumentError(describeError(error));
  }
}
