import { generation, multipleChoiceJoint } from '../adapter-specs.ts';
import { basicMetrics, classificationMetrics, exactMatchMetrics } from '../metric-specs.ts';
import type { NewInstance, Split } from '../spec.ts';
import { answered, helmSource, type Scenario } from './scenario.ts';

// HELM's scenarios for trying things out: are two-digit numbers even or odd.

const module = 'helm.benchmark.scenarios.simple_scenarios';

function* numbers(): Generator<{ number: number; split: Split }> {
  for (let number = 10; number < 100; number++) yield { number, split: number <= 20 ? 'train' : 'test' };
}

function evenOrOdd(input: (number: number) => string): NewInstance[] {
  return Array.from(numbers(), ({ number, split }) => ({
    input: { text: input(number) },
    references: ['Even', 'Odd'].map((text, remainder) => ({
      output: { text },
      tags: number % 2 === remainder ? ['correct'] : [],
    })),
    split,
  }));
}

export const simpleMcqa: Scenario = {
  entry: 'simple_mcqa',
  parameters: {},
  info: {
    name: 'simple_mcqa',
    description: 'Whether two-digit numbers are even or odd, as multiple choice.',
    tags: ['question answering'],
    definition_path: helmSource('simple_scenarios'),
  },
  main: { metric: 'exact_match', split: 'test' },
  run: () => ({
    name: 'simple_mcqa',
    scenario_spec: { class_name: `${module}.SimpleMCQAScenario`, args: {} },
    adapter_spec: multipleChoiceJoint({
      instructions: 'Answer the following questions with a single letter only.',
      input: 'Question',
      output: 'Answer',
      maxTokens: 5,
    }),
    metric_specs: exactMatchMetrics(),
    groups: ['simple_mcqa'],
  }),
  instances: () => evenOrOdd((number) => `Is ${number} even or odd?`),
};

export const simpleShortAnswerQa: Scenario = {
  entry: 'simple_short_answer_qa',
  parameters: {},
  info: { ...simpleMcqa.info, description: 'Whether two-digit numbers are even or odd, in one word.' },
  main: { metric: 'f1_score', split: 'test' },
  run: () => ({
    name: 'simple_short_answer_qa',
    scenario_spec: { class_name: `${module}.SimpleShortAnswerQAScenario`, args: {} },
    adapter_spec: generation({
      instructions: 'Answer the following questions with a single word only.',
      input: 'Question',
      output: 'Answer',
      maxTokens: 5,
    }),
    metric_specs: basicMetrics([
      'exact_match',
      'quasi_exact_match',
      'f1_score',
      'rouge_l',
      'bleu_1',
      'bleu_4',
    ]),
    groups: ['simple_short_answer_qa'],
  }),
  instances: () =>
    Array.from(numbers(), ({ number, split }) =>
      answered(`Is ${number} even or odd?`, number % 2 === 0 ? 'Even' : 'Odd', split),
    ),
};

export const simpleClassification: Scenario = {
  entry: 'simple_classification',
  parameters: {},
  info: {
    name: 'simple_classification',
    description: 'Whether two-digit numbers are even or odd, as classes.',
    tags: ['classification'],
    definition_path: helmSource('simple_scenarios'),
  },
  main: { metric: 'exact_match', split: 'test' },
  run: () => ({
    name: 'simple_classification',
    scenario_spec: { class_name: `${module}.SimpleClassificationScenario`, args: {} },
    adapter_spec: generation({
      instructions: 'Classify the following numbers by their parity. The classes are "Even" and "Odd".',
      input: 'Number',
      output: 'Parity',
      maxTokens: 5,
    }),
    metric_specs: [...exactMatchMetrics(), ...classificationMetrics()],
    groups: ['simple_classification'],
  }),
  instances: () => evenOrOdd(String),
};
