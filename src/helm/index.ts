export { parseRunEntries, type RunEntry, readRunEntries } from './conf/entries.ts';
export { buildPrompts } from './prompts.ts';
export { evaluate } from './run/evaluate.ts';
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
  ScoreRow,
  ScoreTable,
  Suite,
} from './types.ts';
