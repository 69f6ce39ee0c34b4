import type { Rule } from '../rule.ts';
import { buildRules } from './build.ts';
import { dockerfileRules } from './dockerfile.ts';
import { fileRules } from './files.ts';
import { kitRules } from './kit.ts';
import { mergingRules } from './merging.ts';
import { pythonRules } from './python.ts';
import { requestRules } from './requests.ts';
import { secretRules } from './secrets.ts';
import { servingRules } from './serving.ts';

/** Every rule of the doctor, in the order in which they are explained. */
export const doctorRules: readonly Rule[] = [
  ...secretRules,
  ...fileRules,
  ...dockerfileRules,
  ...buildRules,
  ...servingRules,
  ...requestRules,
  ...pythonRules,
  ...mergingRules,
  ...kitRules,
];
