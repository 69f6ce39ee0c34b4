export { describeSubmissions, detectSubmission, detectSubmissions, noSubmission } from './detect.ts';
export { isDockerfileName, kitGeneration } from './evidence.ts';
export { checkpointFits, type TrackFit } from './fits.ts';
export { readRecord, recordSchema, type SubmissionRecord, updateRecord } from './record.ts';
export { type Scaffolded, type ScaffoldOptions, scaffold } from './scaffold.ts';
export {
  readSubmissionFile,
  type SubmissionFile,
  submissionFileJsonSchema,
  updateSubmissionFile,
} from './submission-file.ts';
export { type Track, trackJsonSchema, trackSchema } from './track-schema.ts';
export {
  addTrackFile,
  defaultTrack,
  describeTrack,
  findTrack,
  loadTracks,
  type TrackPlaces,
  userTracksFolder,
} from './tracks.ts';
export type { Evidence, KitGeneration, Submission, SubmissionKind } from './types.ts';
