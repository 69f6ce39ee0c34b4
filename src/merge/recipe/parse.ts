import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { isMap, isPair, isScalar, isSeq, LineCounter, type Node, parseAllDocuments, visit } from 'yaml';
import { fromSystemError, plainIssue, UserError } from '../../base/index.ts';
import { checkParameters, type ParameterRemark } from './parameters.ts';
import { type FieldPath, methodOf, type RecipeDocument, recipeSchema } from './schema.ts';

/** A place in a recipe's text; lines and columns count from 1, the end is exclusive. */
export interface TextRange {
  readonly line: number;
  readonly column: number;
  readonly endLine: number;
  readonly endColumn: number;
}

/** Something about a recipe that its author should know. Errors stop a merge, warnings do not. */
export interface RecipeProblem {
  readonly severity: 'error' | 'warning';
  readonly message: string;
  /** Path of the field with dots: `models.0.parameters`. Empty for the whole file. */
  readonly field: string;
  readonly range: TextRange;
}

/** A recipe that was read and checked. */
export interface Recipe {
  /** Absolute path. */
  readonly file: string;
  /** Its text, which goes into the result unchanged. */
  readonly text: string;
  readonly document: RecipeDocument;
  readonly warnings: readonly RecipeProblem[];
  /** Where a field stands in the text; the nearest field above it when it is not there. */
  rangeOf(field: FieldPath): TextRange;
}

/** What a check of a recipe's text found; `recipe` is missing when there are errors. */
export interface RecipeCheck {
  readonly recipe?: Recipe;
  readonly problems: readonly RecipeProblem[];
}

type KeyOrValue = 'key' | 'value';

/** The node at a path, or the deepest one above it. */
function nodeAt(root: Node | null, path: FieldPath, which: KeyOrValue): Node | null {
  let node: Node | null = root;
  for (const [depth, step] of path.entries()) {
    let next: unknown;
    if (isMap(node)) {
      const pair = node.items.findLast(
        (item) => isPair(item) && String(isScalar(item.key) ? item.key.value : item.key) === String(step),
      );
      next = depth === path.length - 1 && which === 'key' ? pair?.key : (pair?.value ?? pair?.key);
    } else if (isSeq(node)) {
      next = node.items[Number(step)];
    }
    if (next === undefined || next === null) return node;
    node = next as Node;
  }
  return node;
}

function fieldName(path: FieldPath): string {
  return path.join('.');
}

/** A copy without the keys that the schema does not know. */
function without(value: unknown, unknown: ReadonlySet<string>, path: FieldPath = []): unknown {
  if (Array.isArray(value)) return value.map((item, index) => without(item, unknown, [...path, index]));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => !unknown.has(JSON.stringify([...path, key])))
      .map(([key, item]) => [key, without(item, unknown, [...path, key])]),
  );
}

/** Remarks on every `parameters` map of a recipe. */
function* parameterRemarks(document: RecipeDocument): Generator<ParameterRemark> {
  const method = methodOf(document);
  if (document.parameters) yield* checkParameters(method, document.parameters, ['parameters'], 'shared');
  for (const [index, { parameters }] of (document.models ?? []).entries()) {
    if (parameters) yield* checkParameters(method, parameters, ['models', index, 'parameters'], 'model');
  }
}

/** Checks a recipe's text: YAML, fields and types. It does not look at the models that it names. */
export function checkRecipe(text: string, file: string): RecipeCheck {
  const lines = new LineCounter();
  const rangeAt = (start: number, end: number): TextRange => {
    const from = lines.linePos(start);
    const to = lines.linePos(Math.max(start, end));
    return { line: from.line || 1, column: from.col || 1, endLine: to.line || 1, endColumn: to.col || 1 };
  };
  // mergekit reads YAML 1.1, where merge keys (`<<`) exist.
  const documents = parseAllDocuments(text, { version: '1.1', merge: true, lineCounter: lines });
  const [first, second] = Array.isArray(documents) ? documents : [];
  const problems: RecipeProblem[] = [];
  const report = (severity: RecipeProblem['severity'], message: string, path: FieldPath, range: TextRange) =>
    problems.push({ severity, message, field: fieldName(path), range });

  if (first === undefined || first.contents === null) {
    report('error', 'the file is empty', [], rangeAt(0, 0));
    return { problems };
  }
  for (const error of first.errors) {
    // A key that stands twice is no error for mergekit: the last one counts.
    const repeated = error.code === 'DUPLICATE_KEY';
    // What follows the first one are mostly its consequences.
    if (!repeated && problems.some(({ severity }) => severity === 'error')) continue;
    const [message] = error.message.split('\n');
    const plain = (message ?? '').replace(/ at line \d+, column \d+:?$/, '');
    report(
      repeated ? 'warning' : 'error',
      repeated ? 'this key stands here twice; the last one counts' : `broken YAML: ${plain}`,
      [],
      rangeAt(...error.pos),
    );
  }
  visit(first, {
    Alias(_, alias) {
      if (alias.resolve(first) !== undefined) return;
      const [start, end] = alias.range ?? [0, 0];
      report('error', `broken YAML: there is no anchor &${alias.source}`, [], rangeAt(start, end));
    },
  });
  if (second !== undefined) {
    const start = second.range[0];
    report('error', 'the file holds several documents; a recipe is one', [], rangeAt(start, start));
  }
  if (problems.some((problem) => problem.severity === 'error')) return { problems };

  const rangeOf = (path: FieldPath, which: KeyOrValue = 'value'): TextRange => {
    const range = nodeAt(first.contents, path, which)?.range;
    return range ? rangeAt(range[0], range[1]) : rangeAt(0, 0);
  };
  let value: unknown;
  try {
    value = first.toJS({ maxAliasCount: 100 });
  } catch (error) {
    report('error', `broken YAML: ${(error as Error).message}`, [], rangeAt(0, 0));
    return { problems };
  }

  const strict = recipeSchema.safeParse(value);
  const unknown = new Set<string>();
  for (const issue of strict.error?.issues ?? []) {
    const path = issue.path as FieldPath;
    if (issue.code !== 'unrecognized_keys') {
      report('error', plainIssue(issue.message), path, rangeOf(path));
      continue;
    }
    for (const key of issue.keys) {
      const keyPath = [...path, key];
      unknown.add(JSON.stringify(keyPath));
      report('warning', `unknown key ${fieldName(keyPath)} is ignored`, keyPath, rangeOf(keyPath, 'key'));
    }
  }
  if (problems.some((problem) => problem.severity === 'error')) return { problems };
  const document = strict.success ? strict.data : recipeSchema.parse(without(value, unknown));

  const given = (['models', 'slices', 'modules'] as const).filter((key) => {
    const list = document[key];
    return Array.isArray(list) ? list.length > 0 : Object.keys(list ?? {}).length > 0;
  });
  if (given.length !== 1) {
    const found = given.length === 0 ? 'none is given' : `${given.join(' and ')} are given`;
    const field = given[1] ?? 'merge_method';
    report(
      'error',
      `exactly one of models, slices and modules must be given; ${found}`,
      [field],
      rangeOf([field]),
    );
  }
  for (const remark of parameterRemarks(document)) {
    const { severity, message, path } = remark;
    report(severity, message, path, rangeOf(path, severity === 'warning' ? 'key' : 'value'));
  }
  if (problems.some((problem) => problem.severity === 'error')) return { problems };
  return { problems, recipe: { file: resolve(file), text, document, warnings: problems, rangeOf } };
}

/** One line for a person: `recipe.yml:3: unknown key …`. */
export function formatProblem(file: string, problem: RecipeProblem): string {
  return `${file}:${problem.range.line}: ${problem.message}`;
}

/**
 * Checks a recipe's text and returns it, or throws a usage error that names the file and the line of the first
 * problem, and all of them in its message.
 */
export function parseRecipe(text: string, file: string): Recipe {
  const { recipe, problems } = checkRecipe(text, file);
  if (recipe !== undefined) return recipe;
  const errors = problems.filter((problem) => problem.severity === 'error');
  const [first, ...others] = errors;
  const rest = others
    .map(({ range, field, message }) => `; line ${range.line}${field && `, ${field}`}: ${message}`)
    .join('');
  throw new UserError(`The recipe is not valid: ${first?.message ?? ''}${rest}`, {
    place: {
      file,
      ...(first ? { line: first.range.line } : {}),
      ...(first?.field ? { field: first.field } : {}),
    },
  });
}

/** Reads and checks a recipe file. */
export async function readRecipe(path: string): Promise<Recipe> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw fromSystemError(error, 'The recipe cannot be read', path);
  }
  return parseRecipe(text, path);
}

/** The error for a recipe that is well-formed but cannot be run, at one of its fields. */
export function recipeError(recipe: Recipe, field: FieldPath, why: string, remedy?: string): UserError {
  return new UserError(`The recipe cannot be merged: ${why}`, {
    place: { file: recipe.file, line: recipe.rangeOf(field).line, field: fieldName(field) },
    ...(remedy === undefined ? {} : { remedy }),
  });
}
