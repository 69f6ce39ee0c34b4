// Names that the manifest and the code share; a test compares them with package.json.

export const extensionName = 'submissionStudio';

/** Every command, those of the palette and those of menus and rows. */
export const commandIds = {
  createSubmission: 'submissionStudio.createSubmission',
  openDemo: 'submissionStudio.openDemo',
  switchSubmission: 'submissionStudio.switchSubmission',
  chooseTrack: 'submissionStudio.chooseTrack',
  openTrackPage: 'submissionStudio.openTrackPage',
  addTrackFile: 'submissionStudio.addTrackFile',
  newRecipe: 'submissionStudio.newRecipe',
  merge: 'submissionStudio.merge',
  inspectCheckpoint: 'submissionStudio.inspectCheckpoint',
  startServer: 'submissionStudio.startServer',
  stopServer: 'submissionStudio.stopServer',
  connectServer: 'submissionStudio.connectServer',
  checkEndpoint: 'submissionStudio.checkEndpoint',
  sendPrompts: 'submissionStudio.sendPrompts',
  evaluate: 'submissionStudio.evaluate',
  showScores: 'submissionStudio.showScores',
  compareRuns: 'submissionStudio.compareRuns',
  setBaseline: 'submissionStudio.setBaseline',
  checkSubmission: 'submissionStudio.checkSubmission',
  packageSubmission: 'submissionStudio.packageSubmission',
  showLog: 'submissionStudio.showLog',
  refresh: 'submissionStudio.refresh',
  stopJob: 'submissionStudio.stopJob',
} as const;

export type CommandId = (typeof commandIds)[keyof typeof commandIds];

export const viewIds = {
  submission: 'submissionStudio.submission',
  jobs: 'submissionStudio.jobs',
  runs: 'submissionStudio.runs',
} as const;

export const scoresPanelType = 'submissionStudio.scores';

/** When-clause keys that the manifest uses. */
export const contextKeys = {
  /** The folders of the workspace have been looked through. */
  ready: 'submissionStudio.ready',
  hasSubmission: 'submissionStudio.hasSubmission',
  severalSubmissions: 'submissionStudio.severalSubmissions',
  merged: 'submissionStudio.merged',
  /** A server of ours runs for the active submission. */
  serverRuns: 'submissionStudio.serverRuns',
  /** An endpoint is known: a server of ours or one that was connected to. */
  hasEndpoint: 'submissionStudio.hasEndpoint',
  hasRuns: 'submissionStudio.hasRuns',
  checked: 'submissionStudio.checked',
  packaged: 'submissionStudio.packaged',
} as const;

export type ContextKey = (typeof contextKeys)[keyof typeof contextKeys];

/** Keys below the section `submissionStudio`. */
export const settingKeys = {
  pythonPath: 'python.path',
  dockerHost: 'docker.host',
  serverPort: 'server.port',
  serverProvider: 'server.provider',
  defaultTrack: 'defaultTrack',
  mergeWorkers: 'merge.workers',
  concurrency: 'evaluation.concurrency',
} as const;

/** Keys of workspaceState. */
export const stateKeys = {
  activeSubmission: 'activeSubmission',
  endpoints: 'endpoints',
} as const;
