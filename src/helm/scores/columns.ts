import { basename, extname } from 'node:path';
import type { Run } from '../run/read.ts';
import { scenarios } from '../scenarios/index.ts';
import type { ScoreColumn } from '../types.ts';

/** Main metrics of scenarios that runs of HELM's may hold beside ours, most telling first. */
const fallbackMetrics = [
  'exact_match',
  'quasi_exact_match',
  'exact_match_indicator',
  'final_number_exact_match',
  'f1_score',
  'rouge_2',
  'math_equiv',
  'math_equiv_chain_of_thought',
];

const lowerIsBetter = new Set([
  'perplexity',
  'bits_per_byte',
  'inference_runtime',
  'ece_10_bin',
  'ece_1_bin',
]);

/** The groups that the scenario gives, without those that a conf file's entry adds to the run. */
function ownGroups(run: Run): readonly string[] {
  const added = /,groups=([^,]*)$/.exec(run.name)?.[1];
  return added === undefined ? run.groups : run.groups.slice(0, -added.split('-').length);
}

/** Run names start with the scenario's entry, whatever follows. */
function scenarioOf(run: Run) {
  return [...scenarios.values()].find(
    ({ entry }) => run.name.startsWith(entry) && /^(?:[:,]|_np=|$)/.test(run.name.slice(entry.length)),
  );
}

/** The run's name without the model and without how many were asked: equal for runs of the same thing. */
export function sameRunKey(run: Run): string {
  return run.name.replace(/[:,](?:model|model_deployment|max_eval_instances|groups)=[^,]*/g, '');
}

/**
 * The column of a run: HELM's most specific group, so that the subjects of MMLU or the shots of a BIG-bench task share
 * one, as in HELM's tables. A user's own questions are told apart by their file.
 */
export function columnOf(run: Run): ScoreColumn {
  const groups = ownGroups(run);
  const { path } = run.scenarioArguments;
  const file = typeof path === 'string' ? `custom:${basename(path, extname(path))}` : undefined;
  const last = groups.at(-1);
  const scenario = last === 'custom' && file ? file : (last ?? sameRunKey(run));
  const names = new Set(run.stats.map(({ name }) => name.name));
  const main = scenarioOf(run)?.main;
  // Some scenarios measure something else by their arguments, such as MATH with a chain of thought.
  const metric =
    main && names.has(main.metric)
      ? main.metric
      : (fallbackMetrics.find((name) => names.has(name)) ?? main?.metric ?? 'exact_match');
  return {
    scenario,
    title: scenario.replace(/^demo_/, ''),
    metric,
    split: main?.split ?? 'test',
    lowerIsBetter: lowerIsBetter.has(metric),
  };
}
