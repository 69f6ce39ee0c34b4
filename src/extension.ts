// Composition root for VS Code: makes the services, in the order in which they build on each other, and registers
// the views and commands. No logic, and no I/O before `activate` has returned.
import type * as vscode from 'vscode';
import { JobList } from './jobs/index.ts';
import { Commands } from './ui/command-table.ts';
import { jobCommands } from './ui/commands/job-commands.ts';
import { mergeCommands } from './ui/commands/merge-commands.ts';
import { packageCommands } from './ui/commands/package-commands.ts';
import { scoreCommands } from './ui/commands/score-commands.ts';
import { serveCommands } from './ui/commands/serve-commands.ts';
import { submissionCommands } from './ui/commands/submission-commands.ts';
import { trackCommands } from './ui/commands/track-commands.ts';
import { ContextKeys } from './ui/context-keys.ts';
import { Documents } from './ui/documents.ts';
import { JobsTree } from './ui/jobs/tree.ts';
import { OutputLog } from './ui/log.ts';
import { Reports } from './ui/reports.ts';
import { RunsModel } from './ui/runs/model.ts';
import { RunsTree } from './ui/runs/tree.ts';
import { ScoresPanels } from './ui/scores/panel.ts';
import { Servers } from './ui/servers/servers.ts';
import type { Services } from './ui/services.ts';
import { StatusBar } from './ui/status-bar.ts';
import { SubmissionsModel } from './ui/submissions/model.ts';
import { StageModel } from './ui/submissions/stage-model.ts';
import { SubmissionTree } from './ui/submissions/tree.ts';
import { Work } from './ui/work.ts';

export function activate(context: vscode.ExtensionContext): void {
  const { subscriptions, workspaceState, extensionUri: extension } = context;
  const hold = <T extends vscode.Disposable>(disposable: T): T => {
    subscriptions.push(disposable);
    return disposable;
  };

  const log = hold(new OutputLog());
  const jobs = new JobList();
  hold({ dispose: () => jobs.cancelAll() });
  const work = new Work(jobs, log);
  const documents = hold(new Documents());
  const reports = hold(new Reports());
  const servers = hold(new Servers(workspaceState, work, log));
  const submissions = hold(new SubmissionsModel(workspaceState, log));
  const runs = hold(new RunsModel(submissions, log));
  const stages = hold(new StageModel({ submissions, servers, runs, reports, jobs, log }));
  const scores = hold(new ScoresPanels({ extension, submissions, runs, log }));

  hold(new ContextKeys({ submissions, stages, servers, runs, reports }));
  hold(new SubmissionTree(submissions, stages, reports));
  hold(new JobsTree(jobs));
  hold(new RunsTree(runs));
  hold(new StatusBar(jobs, servers, submissions));

  const services: Services = {
    log,
    jobs,
    work,
    submissions,
    stages,
    servers,
    runs,
    reports,
    documents,
    scores,
  };
  hold(
    new Commands(
      {
        ...submissionCommands(services),
        ...trackCommands(services),
        ...mergeCommands(services),
        ...serveCommands(services),
        ...scoreCommands(services),
        ...packageCommands(services),
        ...jobCommands(services),
      },
      log,
    ),
  );

  // The folders are looked through once the window is told that the extension is active.
  setImmediate(() => submissions.start());
}
