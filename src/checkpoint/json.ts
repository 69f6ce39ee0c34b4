import { readFile } from 'node:fs/promises';
import { applyEdits, modify, type ParseError, parse, printParseErrorCode, visit } from 'jsonc-parser';
import { fromSystemError, UserError } from '../base/index.ts';

/** The parser's codes as words: `CommaExpected` → `comma expected`. */
function errorWords({ error }: ParseError): string {
  return printParseErrorCode(error)
    .replace(/(?<=[a-z])(?=[A-Z])/g, ' ')
    .toLowerCase();
}

function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}

/** Reads a JSON file that must hold an object. Errors name the file and the line. */
export async function readJsonObject(file: string, what: string): Promise<Record<string, unknown>> {
  const text = await readText(file, what);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    const errors: ParseError[] = [];
    parse(text, errors, { disallowComments: true });
    const [first] = errors;
    throw new UserError(`${what} is not valid JSON${first ? `: ${errorWords(first)}` : ''}`, {
      place: { file, ...(first ? { line: lineAt(text, first.offset) } : {}) },
      cause,
    });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new UserError(`${what} is no JSON object`, { place: { file } });
  }
  return value as Record<string, unknown>;
}

/** Reads a text file; errors name it and say what it is. */
export async function readText(file: string, what: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw fromSystemError(error, `${what} cannot be read`, file);
  }
}

/**
 * Sets top-level keys of a JSON text and leaves every other character as it is: number spellings such as
 * `1e-05` or `10000.0`, which other readers tell apart, survive.
 */
export function editJsonText(text: string, changes: Readonly<Record<string, unknown>>): string {
  return Object.entries(changes).reduce(
    (current, [key, value]) =>
      applyEdits(
        current,
        modify(current, [key], value, { formattingOptions: { insertSpaces: true, tabSize: 2, eol: '\n' } }),
      ),
    text,
  );
}

/** The keys of the outermost object that occur more than once, which JSON.parse would hide. */
export function repeatedKeys(text: string): string[] {
  const seen = new Set<string>();
  const repeated: string[] = [];
  let depth = 0;
  visit(text, {
    onObjectBegin: () => {
      depth++;
    },
    onObjectEnd: () => {
      depth--;
    },
    onObjectProperty: (key) => {
      if (depth !== 1) return;
      if (seen.has(key)) repeated.push(key);
      seen.add(key);
    },
  });
  return repeated;
}
