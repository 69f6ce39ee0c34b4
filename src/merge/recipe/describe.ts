import { createHash } from 'node:crypto';
import { plural } from '../../base/index.ts';
import type { Recipe } from './parse.ts';

/** A merge as a submission's record keeps it: what was merged into what, in a few words, and how the recipe was then. */
export function describeMerge({ file, text, document }: Recipe, out: string) {
  const { merge_method: method } = document;
  const models = document.models ?? [];
  return {
    recipe: file,
    out,
    summary: [method, ...(models.length > 0 ? [plural(models.length, 'model')] : [])].join(' · '),
    recipeSha256: createHash('sha256').update(text).digest('hex'),
  };
}
