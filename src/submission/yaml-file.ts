import { readFile } from 'node:fs/promises';
import { type Document, isMap, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';
import { type ZodType, z } from 'zod';
import { fromSystemError, plainIssue, UserError } from '../base/index.ts';

/** The deepest node on the way to `path`: what is missing is reported where it belongs. */
function offsetOf(document: Document, path: readonly PropertyKey[]): number {
  let node: unknown = document.contents;
  let offset = 0;
  for (const step of path) {
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === String(step));
      if (pair === undefined) break;
      offset = (pair.key as { range?: readonly number[] | null }).range?.[0] ?? offset;
      node = pair.value;
    } else if (isSeq(node)) {
      node = node.items[Number(step)];
      offset = (node as { range?: readonly number[] | null } | undefined)?.range?.[0] ?? offset;
    }
  }
  return offset;
}

/**
 * Parses YAML against a schema. Throws a usage error that names the file, the line and the field of the first
 * problem, and every problem in its message.
 * @param what what the file is, as the start of the message: `The track file`
 */
export function parseYaml<T>(text: string, schema: ZodType<T>, what: string, file: string): T {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const [broken] = document.errors;
  if (broken) {
    const message = (broken.message.split('\n')[0] ?? '').replace(/ at line \d+, column \d+:?$/, '');
    throw new UserError(`${what} is broken YAML: ${message}`, {
      place: { file, line: lines.linePos(broken.pos[0]).line },
      cause: broken,
    });
  }
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 100 }) ?? {};
  } catch (cause) {
    // An alias that names nothing, or too many of them.
    throw new UserError(`${what} is broken YAML: ${cause instanceof Error ? cause.message : cause}`, {
      place: { file },
      cause,
    });
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const problems = result.error.issues.map((issue) => ({
    line: lines.linePos(offsetOf(document, issue.path)).line || 1,
    field: z.core.toDotPath(issue.path),
    message: plainIssue(issue.message),
  }));
  const [first] = problems;
  throw new UserError(
    `${what} is not valid: ${problems.map(({ line, field, message }) => `line ${line}: ${field ? `${field}: ` : ''}${message}`).join('; ')}`,
    {
      place: {
        file,
        ...(first ? { line: first.line } : {}),
        ...(first?.field ? { field: first.field } : {}),
      },
      cause: result.error,
    },
  );
}

/** {@link parseYaml} of a file; undefined when there is none. */
export async function readYaml<T>(path: string, schema: ZodType<T>, what: string): Promise<T | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw fromSystemError(error, `${what} cannot be read`, path);
  }
  return parseYaml(text, schema, what, path);
}
