const simpleEscapes: Readonly<Record<string, string>> = {
  '\n': '',
  '\\': '\\',
  "'": "'",
  '"': '"',
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};

/** One string literal in single or double quotes. */
const literal = /\s*(?:'((?:[^'\\\n]|\\[\s\S])*)'|"((?:[^"\\\n]|\\[\s\S])*)")\s*/y;

function unescaped(text: string): string {
  const sequence = /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{1,3})|([\s\S]))/g;
  return text.replace(
    sequence,
    (whole: string, x?: string, u?: string, U?: string, octal?: string, one = '') => {
      const code = octal === undefined ? Number.parseInt(x ?? u ?? U ?? '', 16) : Number.parseInt(octal, 8);
      if (Number.isNaN(code)) return simpleEscapes[one] ?? whole;
      if (code > 0x10ffff) throw new SyntaxError(`${whole} is no character`);
      return u === undefined ? String.fromCodePoint(code) : String.fromCharCode(code);
    },
  );
}

/**
 * Reads a list (or tuple) of strings as Python prints it; nothing is evaluated.
 * @throws SyntaxError where the text is none
 */
export function parseStringList(text: string): string[] {
  const trimmed = text.trim();
  const brackets = `${trimmed.at(0)}${trimmed.at(-1)}`;
  if (brackets !== '[]' && brackets !== '()') throw new SyntaxError('it does not stand in brackets');
  const inner = trimmed.slice(1, -1);
  const items: string[] = [];
  let at = inner.length - inner.trimStart().length;
  while (at < inner.length) {
    literal.lastIndex = at;
    const found = literal.exec(inner);
    if (!found) throw new SyntaxError(`there is no string at character ${at + 2}`);
    items.push(unescaped(found[1] ?? found[2] ?? ''));
    at = literal.lastIndex;
    if (at < inner.length && inner[at] !== ',')
      throw new SyntaxError(`there is no comma at character ${at + 2}`);
    at++;
    if (inner.slice(at).trim() === '') break;
  }
  return items;
}
