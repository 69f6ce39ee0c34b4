import { UserError } from '../../base/index.ts';

/** A value of a conf file. */
export type HoconValue = string | number | boolean | null | HoconValue[] | HoconObject;
export interface HoconObject {
  [key: string]: HoconValue;
}

/** The 1-based line on which an object of a conf file starts. */
export type LineOf = (value: HoconObject) => number | undefined;

/**
 * Reads the part of HOCON that HELM's conf files use, as pyhocon reads it: comments with `#` and `//`, `:` or `=`,
 * commas or newlines between entries, quoted and `"""raw"""` strings, unquoted values up to the end of the line, braces
 * around the root optional; two objects with nothing between them are merged. Substitutions and includes are refused.
 * @param file named in errors, with line and column
 */
export function parseHocon(text: string, file: string): { root: HoconObject | HoconValue[]; lineOf: LineOf } {
  return new HoconParser(text, file).parse();
}

function isObject(value: HoconValue | undefined): value is HoconObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function merge(into: HoconObject, other: HoconObject): HoconObject {
  for (const [key, value] of Object.entries(other)) {
    const old = into[key];
    into[key] = isObject(old) && isObject(value) ? merge(old, value) : value;
  }
  return into;
}

const escapes: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };

class HoconParser {
  private readonly text: string;
  private readonly file: string;
  private readonly lines = new WeakMap<HoconObject, number>();
  private at = 0;

  constructor(text: string, file: string) {
    // The byte order mark that Windows editors write is no part of the first key.
    this.text = text.replace(/^\uFEFF/, '').replace(/\r\n?/g, '\n');
    this.file = file;
  }

  parse(): { root: HoconObject | HoconValue[]; lineOf: LineOf } {
    this.skip('\n');
    const start = this.text[this.at];
    const root = start === '[' ? this.list() : start === '{' ? this.object() : this.members({}, undefined);
    this.skip('\n,');
    if (this.at < this.text.length) throw this.unexpected('the end of the file');
    return { root, lineOf: (value) => this.lines.get(value) };
  }

  private object(): HoconObject {
    const result: HoconObject = {};
    this.lines.set(result, this.line());
    const open = this.at++;
    this.members(result, open);
    this.at++;
    return result;
  }

  /** Reads `key: value` until the closing brace, or the end of the text where `open` is undefined. */
  private members(result: HoconObject, open: number | undefined): HoconObject {
    for (;;) {
      this.skip('\n,');
      const next = this.text[this.at];
      if (next === undefined) {
        if (open === undefined) return result;
        throw this.error('the brace that opens here is never closed', open);
      }
      if (next === '}') {
        if (open !== undefined) return result;
        throw this.unexpected('a key');
      }
      this.member(result);
    }
  }

  private member(result: HoconObject): void {
    const start = this.at;
    const path = this.key();
    // It would reach the prototype of all objects.
    if (path.includes('__proto__')) throw this.error('`__proto__` is not allowed as a key', start);
    this.skip('\n');
    const append = this.text.startsWith('+=', this.at);
    if (append) throw this.error('`+=` is not supported: write the list in one place', this.at);
    const next = this.text[this.at];
    if (next === ':' || next === '=') {
      this.at++;
      this.skip('\n');
    } else if (next !== '{') {
      throw this.unexpected('`:` or `=`');
    }
    const value = this.value();
    let target = result;
    for (const part of path.slice(0, -1)) {
      const known = target[part];
      const inner = isObject(known) ? known : {};
      target[part] = inner;
      target = inner;
    }
    const last = path.at(-1) as string;
    const old = target[last];
    target[last] = isObject(old) && isObject(value) ? merge(old, value) : value;
  }

  private key(): string[] {
    if (this.text[this.at] === '"') return [this.quoted()];
    const match = /[\p{L}\p{N}._\- /]+/uy;
    match.lastIndex = this.at;
    const found = match.exec(this.text)?.[0].trim();
    if (!found) throw this.unexpected('a key');
    if (/^include\s*$/.test(found)) throw this.error('`include` is not supported', this.at);
    this.at = match.lastIndex;
    return found.split('.');
  }

  /** One value and what is written behind it on the same line: objects merge, lists join, texts concatenate. */
  private value(): HoconValue {
    const parts: HoconValue[] = [];
    for (;;) {
      this.skip('');
      const next = this.text[this.at];
      if (next === undefined || '\n,]}'.includes(next)) break;
      if (next === '{') parts.push(this.object());
      else if (next === '[') parts.push(this.list());
      else if (next === '"') parts.push(this.quoted());
      else parts.push(this.unquoted());
    }
    const [first, ...rest] = parts;
    if (first === undefined) throw this.unexpected('a value');
    if (rest.length === 0) return first;
    if (parts.every(isObject)) return rest.filter(isObject).reduce(merge, first as HoconObject);
    if (parts.every(Array.isArray)) return parts.flat();
    if (parts.some((part) => typeof part === 'object' && part !== null)) {
      throw this.error('an object or list and something else stand side by side without a comma', this.at);
    }
    return parts.map(String).join(' ');
  }

  private list(): HoconValue[] {
    const open = this.at++;
    const items: HoconValue[] = [];
    for (;;) {
      this.skip('\n,');
      const next = this.text[this.at];
      if (next === undefined) throw this.error('the bracket that opens here is never closed', open);
      if (next === ']') {
        this.at++;
        return items;
      }
      items.push(this.value());
    }
  }

  private quoted(): string {
    const open = this.at;
    if (this.text.startsWith('"""', open)) {
      const raw = /"""([\s\S]*?"*)"""/y;
      raw.lastIndex = open;
      const found = raw.exec(this.text);
      if (!found) throw this.error('the text that opens here with """ is never closed', open);
      this.at = raw.lastIndex;
      return found[1] as string;
    }
    const simple = /"((?:[^"\\\n]|\\.)*)"/y;
    simple.lastIndex = open;
    const found = simple.exec(this.text);
    if (!found) throw this.error('the text that opens here with " is not closed on its line', open);
    this.at = simple.lastIndex;
    return (found[1] as string).replace(/\\(u[0-9a-fA-F]{4}|.)/g, (_all, code: string) =>
      code.length === 5 ? String.fromCharCode(Number.parseInt(code.slice(1), 16)) : (escapes[code] ?? code),
    );
  }

  private unquoted(): HoconValue {
    const number = /[+-]?(?:\d*\.\d+|\d+(?:\.\d+)?)(?:[eE][+-]?\d+)?(?=[ \t]*(?:$|[}\],#\n]|\/\/))/y;
    number.lastIndex = this.at;
    const digits = number.exec(this.text)?.[0];
    if (digits !== undefined) {
      this.at = number.lastIndex;
      return Number(digits);
    }
    const start = this.at;
    while (this.at < this.text.length) {
      const next = this.text[this.at] as string;
      if ('\n,]}#{["'.includes(next) || this.text.startsWith('//', this.at)) break;
      if ('^`+?!@*&=$\\'.includes(next)) throw this.unexpected('a value in quotes');
      this.at++;
    }
    const word = this.text.slice(start, this.at).trim();
    if (/^true$/i.test(word)) return true;
    if (/^false$/i.test(word)) return false;
    return /^null$/i.test(word) ? null : word;
  }

  /** Skips spaces, tabs, comments and the characters of `also`. */
  private skip(also: string): void {
    for (;;) {
      const next = this.text[this.at];
      if (next === undefined) return;
      if (next === '#' || this.text.startsWith('//', this.at)) {
        while (this.at < this.text.length && this.text[this.at] !== '\n') this.at++;
      } else if (next === ' ' || next === '\t' || also.includes(next)) this.at++;
      else return;
    }
  }

  private line(at = this.at): number {
    return this.text.slice(0, at).split('\n').length;
  }

  private unexpected(expected: string): UserError {
    const found = this.text[this.at];
    const what = found === undefined ? 'the file ends' : `${JSON.stringify(found)} stands`;
    return this.error(`${what} where ${expected} is expected`, this.at);
  }

  private error(problem: string, at: number): UserError {
    const column = at - this.text.lastIndexOf('\n', at - 1);
    return new UserError(`The conf file cannot be read: ${problem} (column ${column})`, {
      place: { file: this.file, line: this.line(at) },
      remedy: 'Write entries as { description: "scenario:argument=value,model=neurips/local" }.',
    });
  }
}
