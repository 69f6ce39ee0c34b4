import type { JobList } from '../jobs/index.ts';
import type { Documents } from './documents.ts';
import type { OutputLog } from './log.ts';
import type { Reports } from './reports.ts';
import type { RunsModel } from './runs/model.ts';
import type { ScoresPanels } from './scores/panel.ts';
import type { Servers } from './servers/servers.ts';
import type { SubmissionsModel } from './submissions/model.ts';
import type { StageModel } from './submissions/stage-model.ts';
import type { Work } from './work.ts';

/** What commands work with; each takes the ones it names. extension.ts makes them. */
export interface Services {
  readonly log: OutputLog;
  readonly jobs: JobList;
  readonly work: Work;
  readonly submissions: SubmissionsModel;
  readonly stages: StageModel;
  readonly servers: Servers;
  readonly runs: RunsModel;
  readonly reports: Reports;
  readonly documents: Documents;
  readonly scores: ScoresPanels;
}
