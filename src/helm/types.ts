import type { WorkOptions } from '../base/index.ts';
import type { ProcessRequest } from '../serve/index.ts';
import type { ChallengeScore, PairedTest } from './scores/statistics.ts';

export type { ProcessRequest };

export interface EvaluateOptions extends WorkOptions {
  /** `sample`, or the path of a conf file. */
  readonly suite: string;
  /** `benchmark_output` unless told. */
  readonly out: string;
  /** Folder below `<out>/runs/`; `sample` or the conf file's name unless told. */
  readonly runSuite?: string;
  /** What the submission is called in model names: `neurips/<name>`; `local` unless told. */
  readonly name?: string;
  /** Parallel requests; 4 unless told. */
  readonly concurrency?: number;
  readonly maxEvalInstances?: number;
  /** Keep and reuse answered requests. */
  readonly resume?: boolean;
  /** Scenario data; `<out>/scenarios` unless told. */
  readonly data?: string;
}

export interface RunSummary {
  /** HELM's run name. */
  readonly name: string;
  /** Absolute folder of the run directory. */
  readonly folder: string;
  readonly instances: number;
  readonly failed: number;
  /** Metric name to mean on the scenario's main split; the main metric comes first. */
  readonly metrics: Readonly<Record<string, number>>;
  /** Why instances failed, each reason once. */
  readonly problems: readonly string[];
}

export interface Evaluation {
  readonly runs: readonly RunSummary[];
  readonly seconds: number;
  readonly requestsPerSecond: number;
  /** What HELM would pass over in silence, such as a /decode that does not answer. */
  readonly warnings: readonly string[];
}

/** A suite that ships with us. */
export interface Suite {
  readonly name: string;
  readonly title: string;
  /** Its conf file, absolute. */
  readonly file: string;
}

export interface PromptOptions {
  /** `sample`, or the path of a conf file. */
  readonly suite?: string;
  /** The path of a conf file, where `suite` is not given. */
  readonly conf?: string;
  readonly data?: string;
  readonly out?: string;
  readonly name?: string;
  readonly maxEvalInstances?: number;
}

/** A request before it is sent. */
export interface SamplePrompt {
  /** HELM's run name. */
  readonly scenario: string;
  readonly instanceId: string;
  readonly request: ProcessRequest;
}

/** One cell of the score table. */
export interface ScoreCell {
  /** Mean of the scenario's main metric, 0 to 1; null where there is none. */
  readonly value: number | null;
  /** Half-width of the 95 % bootstrap interval, where per-instance values are known. */
  readonly interval: number | null;
  readonly instances: number;
  readonly failed: number;
  /** Best of its column. */
  readonly best: boolean;
  /** Difference to the baseline's cell. */
  readonly delta: number | null;
  /** Paired test against the baseline, where both have values of the same instances. */
  readonly test: PairedTest | null;
  /** Run directory, absolute. */
  readonly folder: string | null;
}

export interface ScoreRow {
  /** Submission name within the suites: the model name without `neurips_`/`neurips/`. */
  readonly run: string;
  readonly baseline: boolean;
  /** Plain mean over the scenarios, 0 to 1, null unless all have a value. */
  readonly mean: number | null;
  readonly meanWinRate: number | null;
  /** Null unless the row has a value in every column that at least two rows have one in. */
  readonly challenge: ChallengeScore | null;
  readonly cells: readonly ScoreCell[];
  /** Milliseconds since the epoch, newest file of its run directories. */
  readonly changedAt: number;
}

export interface ScoreColumn {
  readonly scenario: string;
  /** For people: `reverse`, `simple_mcqa`. */
  readonly title: string;
  readonly metric: string;
  readonly split: string;
  readonly lowerIsBetter: boolean;
}

/** A run directory that the table was made from. */
export interface ScoredRun {
  /** HELM's run name. */
  readonly name: string;
  /** Folder below `<out>/runs/`. */
  readonly suite: string;
  /** Absolute. */
  readonly folder: string;
  /** The table's row and column: the submission, and {@link ScoreColumn.scenario}. */
  readonly run: string;
  readonly scenario: string;
  readonly instances: number;
  readonly failed: number;
  /** Metric name to mean on the scenario's main split; the main metric comes first. */
  readonly metrics: Readonly<Record<string, number>>;
}

/** All runs side by side. `rows[i].cells[j]` belongs to `columns[j]`. */
export interface ScoreTable {
  readonly columns: readonly ScoreColumn[];
  readonly rows: readonly ScoreRow[];
  readonly runs: readonly ScoredRun[];
  /** Run directories that could not be read, and why. */
  readonly problems: readonly string[];
}
