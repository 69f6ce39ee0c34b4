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

/**
 * Validates `value`, or throws a usage error that names every wrong field.
 * @param what what the value is, as the start of the message: `The recipe`
 */
export function parseWith<T>(schema: ZodType<T>, value: unknown, what: string, place: Place = {}): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const problems = result.error.issues.map((issue) => {
    const field = fieldPath(issue.path);
    return field ? `${field}: ${issue.message}` : issue.message;
  });
  throw new UserError(`${what} is not valid: ${problems.join('; ')}`, {
    place: {
      ...place,
      ...(result.error.issues[0]?.path.length ? { field: fieldPath(result.error.issues[0].path) } : {}),
    },
    cause: result.error,
  });
}
