export { dryRun, merge } from './merge.ts';
export {
  type MergeMethod,
  methods,
  methodsByName,
  type ParameterSpec,
  type Profile,
} from './methods/index.ts';
export { type MergePlan, type PlanOptions, planMerge, type TensorTask } from './plan.ts';
export { describeMerge } from './recipe/describe.ts';
export {
  checkRecipe,
  formatProblem,
  parseRecipe,
  type Recipe,
  type RecipeCheck,
  type RecipeProblem,
  readRecipe,
  type TextRange,
} from './recipe/parse.ts';
export { describeMethod, type RecipeDocument, recipeJsonSchema } from './recipe/schema.ts';
export type { DryRunResult, MergeOptions, MergeResult } from './types.ts';
