import { resolve } from 'node:path';
import { choiceMethods, multipleChoice } from '../adapter-specs.ts';
import { exactMatchMetrics } from '../metric-specs.ts';
import { readInstances } from './instances-file.ts';
import { helmSource, type Scenario } from './scenario.ts';

/** A user's own multiple-choice questions from a file. */
export const customMcqa: Scenario = {
  entry: 'custom_mcqa',
  parameters: {
    path: { required: true },
    num_train_instances: { required: false },
    method: { required: false, values: choiceMethods },
  },
  info: {
    name: 'custom_mcqa',
    description: 'Multiple-choice questions of one’s own.',
    tags: ['multiple_choice'],
    definition_path: helmSource('custom_mcqa_scenario'),
  },
  main: { metric: 'exact_match', split: 'test' },
  run: ({ path = '', num_train_instances: examples = 0, method = 'multiple_choice_joint' }) => ({
    name: `custom_mcqa,path=${path},method=${method}`,
    scenario_spec: {
      class_name: 'helm.benchmark.scenarios.custom_mcqa_scenario.CustomMCQAScenario',
      args: { path, num_train_instances: examples },
    },
    adapter_spec: multipleChoice(method, {
      instructions: 'The following are multiple choice questions (with answers).',
      input: 'Question',
      output: 'Answer',
      maxTrainInstances: Number(examples),
    }),
    metric_specs: exactMatchMetrics(),
    groups: ['custom'],
  }),
  instances: ({ path }, { data }) => readInstances(resolve(data, 'custom_mcqa', String(path))),
};
