// Strings as Python sees them: its white space, its code points, its order. JavaScript's own differ (`trim` takes
// U+FEFF but not U+001C, `length` counts UTF-16 units), and HELM's numbers depend on it.

const space = '\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000';
const leading = new RegExp(`^[${space}]+`);
const trailing = new RegExp(`[${space}]+$`);
const between = new RegExp(`[${space}]+`);

/** `str.strip()`. */
export function strip(text: string): string {
  return rstrip(text.replace(leading, ''));
}

/** `str.rstrip()`. */
export function rstrip(text: string): string {
  // A search from the end: the regular expression alone is quadratic on long inner runs of white space.
  let end = text.length;
  while (end > 0 && trailing.test(text[end - 1] as string)) end--;
  return text.slice(0, end);
}

/** `str.split()`: the words between white space. */
export function splitWords(text: string): string[] {
  const stripped = strip(text);
  return stripped === '' ? [] : stripped.split(between);
}

/** Every line boundary that Python knows beside CR LF. */
const lineEnds = new Set([0x0a, 0x0b, 0x0c, 0x0d, 0x1c, 0x1d, 0x1e, 0x85, 0x2028, 0x2029]);

/** `str.splitlines()`: cuts also at U+2028, U+0085 and their like. */
export function splitLines(text: string): string[] {
  const lines: string[] = [];
  let start = 0;
  for (let i = 0; i < text.length; i++) {
    if (!lineEnds.has(text.charCodeAt(i))) continue;
    lines.push(text.slice(start, i));
    if (text[i] === '\r' && text[i + 1] === '\n') i++;
    start = i + 1;
  }
  if (start < text.length) lines.push(text.slice(start));
  return lines;
}

/** `len(str)`: code points. */
export function codePointLength(text: string): number {
  let count = 0;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit >= 0xd800 && unit < 0xdc00) {
      const next = text.charCodeAt(i + 1);
      if (next >= 0xdc00 && next < 0xe000) i++;
    }
    count++;
  }
  return count;
}

/** `text[:-1]`: without the last code point. */
export function dropLastCodePoint(text: string): string {
  const last = text.charCodeAt(text.length - 1);
  const before = text.charCodeAt(text.length - 2);
  const pair = last >= 0xdc00 && last < 0xe000 && before >= 0xd800 && before < 0xdc00;
  return text.slice(0, pair ? -2 : -1);
}

/** Where a UTF-16 unit stands in code-point order: surrogates mean code points above U+FFFF. */
function rank(unit: number): number {
  if (unit >= 0xe000) return unit - 0x800;
  return unit >= 0xd800 ? unit + 0x2000 : unit;
}

/** Python's order of strings, by code points, for `sort`. */
export function compareCodePoints(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return rank(x) - rank(y);
  }
  return a.length - b.length;
}
