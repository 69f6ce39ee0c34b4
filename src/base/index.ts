export { folderAtomic, makeFolder, writeAtomic, writeFileAtomic } from './atomic.ts';
export { type EntryName, entries, entryUrl, kernelsUrl, mediaPath, wasmPath } from './entries.ts';
export {
  cancelledError,
  describeError,
  exitCodes,
  type FailureKind,
  failureKind,
  fromSystemError,
  type Place,
  throwIfCancelled,
  UserError,
} from './errors.ts';
export { baseUrl, type Call, call, keepAlive, NoReply, type Reply } from './http.ts';
export { errorDetails, type Log, maskSecrets, silentLog } from './log.ts';
export type { Progress, ReportProgress, WorkOptions } from './progress.ts';
export { parseWith, plainIssue } from './schema.ts';
export { type TreeEntry, type WalkOptions, walkTree } from './tree.ts';
export { formatBytes, formatDuration, parseSize, plural } from './units.ts';
