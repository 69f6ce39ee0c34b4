// Types only: the library comes with the schemas, so that what has none (the editor's first moments) starts without it.
import type { ZodType } from 'zod';
import { type Place, UserError } from './errors.ts';

/** The path of a field as in JavaScript: `models[0].parameters`, `["a key"].x`. */
function fieldPath(path: readonly PropertyKey[]): string {
  return path.reduce<string>((before, step) => {
    if (typeof step === 'number') return `${before}[${step}]`;
    const name = String(step);
    if (/[^\w$]/.test(name)) return `${before}[${JSON.stringify(name)}]`;
    return before === '' ? name : `${before}.${name}`;
  }, '');
}

const typeWords: Readonly<Record<string, string>> = {
  array: 'a list',
  object: 'an object (keys with values)',
  record: 'an object (keys with values)',
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  null: 'empty',
};

/** The library's message about a wrong type in plain words; every other message as it is. */
export function plainIssue(message: string): string {
  const [, expected = '', received = ''] =
    /^Invalid input: expected (\w+), received (\w+)$/.exec(message) ?? [];
  if (expected === '') return message;
  if (received === 'undefined') return 'is missing';
  return `must be ${typeWords[expected] ?? expected}, not ${typeWords[received] ?? received}`;
}

/**
 * Validates `value`, or throws a usage error that names every wrong field.
 * @param what what the value is, as the start of the message: `The recipe`
 */
export function parseWith<T>(schema: ZodType<T>, value: unknown, what: string, place: Place = {}): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const problems = result.error.issues.map((issue) => {
    const field = fieldPath(issue.path);
    const message = plainIssue(issue.message);
    return field ? `${field}: ${message}` : message;
  });
  throw new UserError(`${what} is not valid: ${problems.join('; ')}`, {
    place: {
      ...place,
      ...(result.error.issues[0]?.path.length ? { field: fieldPath(result.error.issues[0].path) } : {}),
    },
    cause: result.error,
  });
}
