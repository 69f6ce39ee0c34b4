import { type ZodType, z } from 'zod';
import { type Place, UserError } from './errors.ts';

/**
 * Validates `value`, or throws a usage error that names every wrong field.
 * @param what what the value is, as the start of the message: `The recipe`
 */
export function parseWith<T>(schema: ZodType<T>, value: unknown, what: string, place: Place = {}): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const problems = result.error.issues.map((issue) => {
    const field = z.core.toDotPath(issue.path);
    return field ? `${field}: ${issue.message}` : issue.message;
  });
  throw new UserError(`${what} is not valid: ${problems.join('; ')}`, {
    place: {
      ...place,
      ...(result.error.issues[0]?.path.length
        ? { field: z.core.toDotPath(result.error.issues[0].path) }
        : {}),
    },
    cause: result.error,
  });
}
