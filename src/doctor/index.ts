export { type MergingMethod, mergingMethods } from './methods.ts';
export { type Ignores, parseDockerignore } from './parsers/dockerignore.ts';
export type { Problem, Rule } from './rule.ts';
export { doctorRules } from './rules/index.ts';
export { checkSource, type DoctorOptions, runDoctor } from './run.ts';
export { toSarif } from './sarif.ts';
export { findSecrets, type Secret } from './secrets.ts';
export type { SubmissionEntry, SubmissionSource } from './source.ts';
export type { DoctorReport, Finding, Severity } from './types.ts';
