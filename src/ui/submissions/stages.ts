import { plural } from '../../base/index.ts';
import type { DoctorReport } from '../../doctor/index.ts';
import type { Job, JobKind } from '../../jobs/index.ts';
import type { Submission, SubmissionRecord } from '../../submission/index.ts';
import { agoText, percentText, progressText, signedText } from '../format.ts';
import { type CommandId, commandIds } from '../ids.ts';

export type StageId = 'scaffold' | 'merge' | 'serve' | 'score' | 'doctor' | 'package';
export type StageState = 'notYet' | 'working' | 'done' | 'attention' | 'failed' | 'live';

/** A stage of a submission as its row shows it. */
export interface Stage {
  readonly id: StageId;
  readonly label: string;
  readonly state: StageState;
  /** What it made, in a few words. */
  readonly description: string;
  /** What made it, when, from what: lines of Markdown. */
  readonly details: readonly string[];
  /** The one thing to do next here. */
  readonly action?: CommandId;
  /** What a click on the row shows. */
  readonly open?: CommandId;
  /** The job that works on it. */
  readonly job?: string;
}

/** The server that a submission is served by, or was connected to. */
export interface EndpointFacts {
  readonly url: string;
  readonly via: string;
  readonly title: string;
  /** Started by us, so that we can stop it. */
  readonly ours: boolean;
}

export interface ScoreFacts {
  readonly run: string;
  /** 0 to 1; null while a scenario has no value. */
  readonly mean: number | null;
  readonly baseline?: string;
  /** Of the means, 0 to 1. */
  readonly delta: number | null;
}

/** All that the states of a submission's stages follow from. Times are milliseconds since the epoch. */
export interface StageFacts {
  readonly submission: Submission;
  readonly record: SubmissionRecord;
  /** Recipe files of the folder, absolute. */
  readonly recipes: readonly string[];
  /** SHA-256 of the recipe that was merged, as it is now; undefined when it is gone. */
  readonly recipeSha256?: string;
  /** Whether the merged checkpoint and the package still stand where they were written. */
  readonly mergedStands: boolean;
  readonly packageStands: boolean;
  readonly endpoint?: EndpointFacts;
  readonly scores?: ScoreFacts;
  readonly report?: { readonly report: DoctorReport; readonly at: number };
  /** When a file of the submission was last saved here, as far as this window saw it. */
  readonly savedAt?: number;
  /** Jobs of this submission, newest first. */
  readonly jobs: readonly Job[];
  readonly now: number;
}

/** A stage that works right now, or whose last attempt failed after `since`; undefined when neither. */
function fromJobs(facts: StageFacts, kinds: readonly JobKind[], since: number): Partial<Stage> | undefined {
  const job = facts.jobs.find(({ kind }) => kinds.includes(kind));
  if (job === undefined || job.startedAt < since) return undefined;
  if (job.state === 'running') {
    const description = progressText(job.progress, facts.now - job.startedAt) || 'working';
    return { state: 'working', description, job: job.id };
  }
  if (job.state === 'stopping') return { state: 'working', description: 'stopping' };
  if (job.state === 'failed') {
    return { state: 'failed', description: 'failed', details: [job.error ?? 'See the log.'] };
  }
  return undefined;
}

const time = (iso: string | undefined) => (iso === undefined ? 0 : Date.parse(iso));

function scaffold({ submission }: StageFacts): Stage {
  const { kind, kit, evidence } = submission;
  const form = kit === undefined ? `${kind} submission` : `${kind} kit`;
  const generation = kit === undefined ? '' : ` of ${kit === 'july' ? 'July' : 'September'} 2024`;
  return {
    id: 'scaffold',
    label: 'Scaffold',
    state: 'done',
    description: form,
    details: [
      `Looks like a ${form}${generation}:`,
      ...evidence.map(
        ({ file, line, shows }) => `- \`${file}${line === undefined ? '' : `:${line}`}\`: ${shows}`,
      ),
    ],
  };
}

function merge(facts: StageFacts): Stage {
  const { record, recipes, recipeSha256, mergedStands, now } = facts;
  const done = record.merge;
  const base = { id: 'merge', label: 'Merge' } as const;
  const action = recipes.length > 0 ? commandIds.merge : commandIds.newRecipe;
  const none: Stage = {
    ...base,
    action,
    state: 'notYet',
    description: recipes.length > 0 ? 'not yet' : 'no recipe yet',
    details: ['Merge checkpoints by a recipe.'],
  };
  const from = fromJobs(facts, ['merge'], time(done?.at));
  if (from !== undefined) return { ...none, ...from };
  if (done === undefined) return none;
  const details = [
    `Made by \`${done.recipe}\` on ${new Date(done.at).toLocaleString()}`,
    `Checkpoint: \`${done.out}\``,
  ];
  if (!mergedStands) {
    return { ...none, state: 'attention', description: 'the checkpoint is gone', details };
  }
  if (recipeSha256 !== undefined && recipeSha256 !== done.recipeSha256) {
    return { ...none, state: 'attention', description: 'older than the recipe', details };
  }
  return {
    ...base,
    action,
    state: 'done',
    description: `${done.summary} · ${agoText(now - time(done.at))}`,
    details,
  };
}

function serve(facts: StageFacts): Stage {
  const { endpoint } = facts;
  const base = { id: 'serve', label: 'Serve' } as const;
  if (endpoint !== undefined) {
    return {
      ...base,
      state: 'live',
      description: `${endpoint.via} ${addressText(endpoint.url)}`,
      details: [endpoint.title, endpoint.url],
      action: endpoint.ours ? commandIds.stopServer : commandIds.checkEndpoint,
    };
  }
  const none: Stage = {
    ...base,
    state: 'notYet',
    description: 'not running',
    details: ['Serve a checkpoint over the HTTP contract of the challenge.'],
    action: commandIds.startServer,
  };
  return { ...none, ...fromJobs(facts, ['serve'], 0) };
}

/** `:8080` on this machine, `host:8080` elsewhere. */
export function addressText(url: string): string {
  const { hostname, port, host } = new URL(url);
  return /^(127\.\d+\.\d+\.\d+|localhost|\[::1\])$/.test(hostname) && port !== '' ? `:${port}` : host;
}

function score(facts: StageFacts): Stage {
  const { record, scores, now } = facts;
  const done = record.evaluate;
  const none: Stage = {
    id: 'score',
    label: 'Score',
    state: 'notYet',
    description: 'not yet',
    details: ['Send HELM prompts to the endpoint and score the answers.'],
    action: commandIds.sendPrompts,
  };
  const from = fromJobs(facts, ['evaluate'], time(done?.at));
  if (from !== undefined) return { ...none, ...from };
  if (done === undefined) return none;
  const details = [
    `Run \`${done.name}\` of the suite ${done.suite}: ${done.summary}`,
    `Runs: \`${done.out}\`, ${new Date(done.at).toLocaleString()}`,
  ];
  if (time(record.merge?.at) > time(done.at)) {
    return { ...none, state: 'attention', description: 'older than the merge', details };
  }
  const mean =
    scores === undefined || scores.mean === null
      ? `${done.summary} · ${agoText(now - time(done.at))}`
      : `mean ${percentText(scores.mean)}`;
  const delta =
    scores?.delta === null || scores?.delta === undefined || scores.baseline === scores.run
      ? ''
      : ` (${signedText(scores.delta)} to ${scores.baseline})`;
  return {
    ...none,
    state: 'done',
    description: `${mean}${delta}`,
    details,
    open: commandIds.showScores,
  };
}

function doctor(facts: StageFacts): Stage {
  const { report, savedAt, now } = facts;
  const none: Stage = {
    id: 'doctor',
    label: 'Doctor',
    state: 'notYet',
    description: 'not yet',
    details: ['Find what would make the submission fail, leak or be disqualified.'],
    action: commandIds.checkSubmission,
  };
  const from = fromJobs(facts, ['doctor'], report?.at ?? 0);
  if (from !== undefined) return { ...none, ...from };
  if (report === undefined) return none;
  const { error, warning } = report.report.summary;
  const counts = [error > 0 && plural(error, 'error'), warning > 0 && plural(warning, 'warning')].filter(
    Boolean,
  );
  const details = [`Checked ${new Date(report.at).toLocaleString()}: ${counts.join(', ') || 'no findings'}`];
  const old = savedAt !== undefined && savedAt > report.at;
  return {
    ...none,
    state: old || error > 0 || warning > 0 ? 'attention' : 'done',
    description: old
      ? 'older than the files'
      : counts.join(' · ') || `no errors · ${agoText(now - report.at)}`,
    details,
  };
}

function packageStage(facts: StageFacts): Stage {
  const { record, packageStands, savedAt, now } = facts;
  const done = record.package;
  const none: Stage = {
    id: 'package',
    label: 'Package',
    state: 'notYet',
    description: 'not yet',
    details: ['Make the archive that the organizers take.'],
    action: commandIds.packageSubmission,
  };
  const at = time(done?.at);
  const from = fromJobs(facts, ['pack'], at);
  if (from !== undefined) return { ...none, ...from };
  if (done === undefined) return none;
  const details = [`\`${done.file}\``, `SHA-256 \`${done.sha256}\``, new Date(done.at).toLocaleString()];
  const old = packageStands ? olderThan(at, record, savedAt) : 'the archive is gone';
  return {
    ...none,
    state: old === undefined ? 'done' : 'attention',
    description: old ?? `${fileName(done.file)} · ${agoText(now - at)}`,
    details,
  };
}

function olderThan(at: number, record: SubmissionRecord, savedAt: number | undefined): string | undefined {
  if (time(record.merge?.at) > at) return 'older than the merge';
  return savedAt !== undefined && savedAt > at ? 'older than the files' : undefined;
}

const fileName = (path: string) => path.split(/[\\/]/).at(-1) ?? path;

/** The stages of a submission in their order. An efficiency submission merges only when it has a recipe. */
export function stagesOf(facts: StageFacts): readonly Stage[] {
  const merges =
    facts.submission.kind === 'merging' || facts.recipes.length > 0 || facts.record.merge !== undefined;
  return [
    scaffold(facts),
    ...(merges ? [merge(facts)] : []),
    serve(facts),
    score(facts),
    doctor(facts),
    packageStage(facts),
  ];
}
