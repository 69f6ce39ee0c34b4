import { linear } from './linear.ts';
import type { MergeMethod } from './method.ts';
import { taskArithmetic } from './task-arithmetic.ts';

export type {
  Block,
  MergeMethod,
  Operand,
  ParameterSpec,
  ParameterValues,
  Profile,
} from './method.ts';

/** All merge methods, in the order in which they are offered. A new one is a file beside and a line here. */
export const methods: readonly MergeMethod[] = [linear, taskArithmetic];

export const methodsByName: ReadonlyMap<string, MergeMethod> = new Map(
  methods.map((method) => [method.name, method]),
);

/** Methods of mergekit that recipes may name but that cannot be run here. */
export const otherMergekitMethods: ReadonlySet<string> = new Set([
  'slerp',
  'nuslerp',
  'multislerp',
  'karcher',
  'ties',
  'dare_linear',
  'dare_ties',
  'della',
  'della_linear',
  'breadcrumbs',
  'breadcrumbs_ties',
  'sce',
  'model_stock',
  'nearswap',
  'arcee_fusion',
  'passthrough',
  'ram',
  'ramplus_tl',
]);
