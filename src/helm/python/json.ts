/** A value as `json.dumps` sees it; keys that are `undefined` are left out, as HELM leaves out what has no value. */
export type Json =
  | string
  | number
  | boolean
  | null
  | readonly Json[]
  | { readonly [key: string]: Json | undefined };

const beyondAscii = /[\x7f-\uffff]/g;

/** A JSON string in ASCII: `json.dumps` escapes what lies beyond, each UTF-16 unit on its own. */
export function asciiString(text: string): string {
  return JSON.stringify(text).replace(
    beyondAscii,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** A finite number as Python prints a float: `1e-07`, `0.3`, `2.0`. */
export function pythonFloat(value: number): string {
  const [digits = '', exponentText = '0'] = value.toExponential().split('e');
  const exponent = Number(exponentText);
  if (value !== 0 && (exponent < -4 || exponent >= 16)) {
    const size = String(Math.abs(exponent)).padStart(2, '0');
    return `${digits}e${exponent < 0 ? '-' : '+'}${size}`;
  }
  const text =
    exponent >= 0 ? integral(value) : value.toFixed(digits.replace(/[-.]/g, '').length - 1 - exponent);
  return text.includes('.') ? text : `${text}.0`;
}

/** `String`, but with the sign of minus zero. */
function integral(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value);
}

function scalar(value: string | number | boolean | null): string {
  if (typeof value === 'string') return asciiString(value);
  // JSON has no NaN and no Infinity. Their names as strings keep the file valid, and Python's `float()`, through which
  // HELM reads these fields, takes them.
  if (typeof value === 'number' && !Number.isFinite(value)) {
    return asciiString(Number.isNaN(value) ? 'NaN' : value > 0 ? 'Infinity' : '-Infinity');
  }
  return String(value);
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

/**
 * `json.dumps(value, indent=2)`: ASCII, and keys without a value left out.
 * @param indent the indentation of the line that the value starts on
 */
export function helmJson(value: Json, indent = ''): string {
  if (value === null || typeof value !== 'object') return scalar(value);
  const inner = `${indent}  `;
  if (isList(value)) {
    if (value.length === 0) return '[]';
    return `[\n${value.map((item) => inner + helmJson(item, inner)).join(',\n')}\n${indent}]`;
  }
  const lines: string[] = [];
  for (const key in value) {
    const item = value[key];
    if (item !== undefined) lines.push(`${inner}${asciiString(key)}: ${helmJson(item, inner)}`);
  }
  return lines.length === 0 ? '{}' : `{\n${lines.join(',\n')}\n${indent}}`;
}

/** `json.dumps(value)`: one line of ASCII, as HELM's client sends it. */
export function inlineJson(value: unknown): string {
  if (typeof value === 'string') return asciiString(value);
  if (Array.isArray(value)) return `[${value.map(inlineJson).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return String(value);
  return `{${Object.entries(value)
    .map(([key, item]) => `${asciiString(key)}: ${inlineJson(item)}`)
    .join(', ')}}`;
}

/** NaN, Infinity and -Infinity outside strings, as Python's `json` writes them. */
const looseLiterals = /"(?:[^"\\]|\\.)*"|-?Infinity|NaN/g;

/** Stands for a loose literal while the text is parsed; no text of HELM's holds it. */
const marker = '\u0000number:';

/** `json.loads`: JSON that may hold the literals NaN, Infinity and -Infinity. Throws SyntaxError. */
export function parseLooseJson(text: string): unknown {
  if (!/NaN|Infinity/.test(text)) return JSON.parse(text);
  const marked = text.replace(looseLiterals, (found) =>
    found.startsWith('"') ? found : JSON.stringify(marker + found),
  );
  return JSON.parse(marked, (_key, value: unknown) =>
    typeof value === 'string' && value.startsWith(marker) ? Number(value.slice(marker.length)) : value,
  );
}
