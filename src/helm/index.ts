export { parseRunEntries, type RunEntry, readRunEntries } from './conf/entries.ts';
export {
  type AnswerSource,
  type ChoiceLogprobs,
  type KitScoring,
  kitScorings,
  type Prediction,
  type PredictOptions,
  predict,
} from './predict/predict.ts';
export { buildPrompts } from './prompts.ts';
export { evaluate } from './run/evaluate.ts';
export { type Run, readInstanceValues, readRun } from './run/read.ts';
export { formatScores, type ScoreFormat, scoresDocument } from './scores/format.ts';
export type { ChallengeScore, PairedTest } from './scores/statistics.ts';
export { readScores, type ScoreOptions } from './scores/table.ts';
export { suites } from './suites.ts';
export type {
  EvaluateOptions,
  Evaluation,
  ProcessRequest,
  PromptOptions,
  RunSummary,
  SamplePrompt,
  ScoreCell,
  ScoreColumn,
  ScoredRun,
  ScoreRow,
  ScoreTable,
  Suite,
} from './types.ts';
