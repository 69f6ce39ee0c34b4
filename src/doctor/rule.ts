import type { SubmissionKind } from '../submission/index.ts';
import type { DoctorContext } from './context.ts';
import type { Severity } from './types.ts';

/** What a rule found at one place. `file` is relative to the folder; `.` is the folder itself. */
export interface Problem {
  readonly file: string;
  /** 1 unless told. */
  readonly line?: number;
  readonly message: string;
  /** What to do, where it is not what the rule says. */
  readonly fix?: string;
  /** Where the rule has several severities. */
  readonly severity?: Severity;
}

/** One rule: data for people, and a check over what the parsers read. */
export interface Rule {
  readonly id: string;
  readonly severity: Severity;
  /** For people: what is wrong. */
  readonly title: string;
  /** Why it matters, for people. */
  readonly why: string;
  /** Where the competition rule or the organizers' step stands. */
  readonly source: string;
  /** What to do, in one sentence. */
  readonly fix: string;
  readonly kinds: readonly SubmissionKind[];
  check(context: DoctorContext): Promise<readonly Problem[]>;
}

/** Public places that rules come from. */
export const sources = {
  pipeline: 'https://github.com/llm-efficiency-challenge/neurips_llm_efficiency_challenge#submission',
  challenge: 'https://llm-efficiency-challenge.github.io/challenge',
  bot: 'https://llm-efficiency-challenge.github.io/leaderboard',
  openApi:
    'https://github.com/llm-efficiency-challenge/neurips_llm_efficiency_challenge/blob/master/open_api_spec.json',
  dockerfile: 'https://docs.docker.com/reference/dockerfile/',
  mergingKit: 'https://github.com/llm-merging/LLM-Merging',
  mergingRules: 'https://llm-merging.github.io/rules',
  tokens: 'https://huggingface.co/docs/hub/security-tokens',
} as const;
