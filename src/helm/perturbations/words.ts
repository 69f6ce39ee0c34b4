/** A word character to Python's regular expressions, and what is none. */
export const wordCharacter = '[\\p{L}\\p{N}_]';
export const noWordCharacter = '[^\\p{L}\\p{N}_]';
const boundary = `(?:(?<=${wordCharacter})(?!${wordCharacter})|(?<!${wordCharacter})(?=${wordCharacter}))`;

/** An expression for any of the words, the earlier ones first, as in Python's `\b(…)\b`. */
export function anyWord(words: Iterable<string>, after: string, flags: string): RegExp {
  return new RegExp(`${boundary}(${alternatives(words)})${boundary}${after}`, flags);
}

export function alternatives(words: Iterable<string>): string {
  return Array.from(words, (word) => word.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')).join('|');
}

/** The target word in the case of the source word: all small, all capital, or with a capital at its start. */
export function matchCase(source: string, target: string): string {
  const characters = [...source];
  if (characters.every((character) => /\p{Lowercase}/u.test(character))) return target.toLowerCase();
  if (characters.every((character) => /\p{Uppercase}/u.test(character))) return target.toUpperCase();
  if (!/^\p{Uppercase}/u.test(source)) return target;
  const [first = '', ...rest] = target;
  return first.toUpperCase() + rest.join('').toLowerCase();
}
