export { type JobContext, JobList, type JobOutcome, type JobSpec } from './list.ts';
export type { Job, JobKind, JobState } from './types.ts';
