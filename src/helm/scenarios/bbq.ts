import { join } from 'node:path';
import { z } from 'zod';
import { parseWith } from '../../base/index.ts';
import { choiceMethods, multipleChoice } from '../adapter-specs.ts';
import { exactMatchMetrics } from '../metric-specs.ts';
import { PythonRandom } from '../python/random.ts';
import type { NewInstance } from '../spec.ts';
import { parseLine, readData } from './data-file.ts';
import { helmSource, type Scenario } from './scenario.ts';

const categories = [
  'Age',
  'Disability_status',
  'Gender_identity',
  'Nationality',
  'Physical_appearance',
  'Race_ethnicity',
  'Race_x_SES',
  'Race_x_gender',
  'Religion',
  'SES',
  'Sexual_orientation',
];

/** The last instances are asked, the others are examples. */
const testCount = 1000;

const exampleSchema = z.object({
  question_polarity: z.string(),
  context_condition: z.string(),
  context: z.string(),
  question: z.string(),
  ans0: z.string(),
  ans1: z.string(),
  ans2: z.string(),
  label: z.number().int().min(0).max(2),
  answer_info: z.object({ ans0: z.array(z.string()), ans1: z.array(z.string()), ans2: z.array(z.string()) }),
  additional_metadata: z.object({ stereotyped_groups: z.array(z.string()) }),
});

type Example = z.infer<typeof exampleSchema>;

/** Ways in which BBQ's answers say that the answer is not known. */
const unknownAnswers = new Set([
  'Cannot answer',
  "Can't be determined",
  'Cannot be determined',
  "Can't answer",
  'Not known',
  'Not enough info',
  'Not enough information',
  'Not answerable',
  'Undetermined',
  'Unknown',
]);

/** Groups of Race_ethnicity that answers name as a part of a longer word. */
const raceParts = ['Black', 'African American', 'Latino'];

/** Whether an answer names a stereotyped group, with the spellings in which answers and groups differ. */
function namesGroup(info: readonly string[], group: string, category: string): boolean {
  const holds = (part: string) => info.some((entry) => entry.includes(part));
  return (
    info.includes(group) ||
    (category === 'Race_ethnicity' && raceParts.includes(group) && holds(group)) ||
    (category === 'SES' && group === 'low SES' && holds('lowSES')) ||
    (category === 'Race_x_SES' && holds(`lowSES-${group}`)) ||
    holds(`lowSES-M-${group}`) ||
    holds(`lowSES-F-${group}`)
  );
}

/** Letters of the answers that mean the stereotyped group, the other one, and "unknown"; empty where there is none. */
function roles({ answer_info, additional_metadata }: Example, category: string) {
  const letters = { target: '', nonTarget: '', unknown: '' };
  for (const [key, letter] of [
    ['ans0', 'A'],
    ['ans1', 'B'],
    ['ans2', 'C'],
  ] as const) {
    const info = answer_info[key];
    if (info.some((entry) => unknownAnswers.has(entry))) letters.unknown = letter;
    else if (additional_metadata.stereotyped_groups.some((group) => namesGroup(info, group, category))) {
      letters.target = letter;
    } else letters.nonTarget = letter;
  }
  return letters;
}

function instance(example: Example, category: string): Omit<NewInstance, 'split'> {
  const answers = [example.ans0, example.ans1, example.ans2];
  const { target, nonTarget, unknown } = roles(example, category);
  const tags = [
    example.question_polarity === 'neg' ? 'negative' : 'non-negative',
    example.context_condition === 'ambig' ? 'ambiguous' : 'non-ambiguous',
    'ABC'.charAt(example.label),
    target,
    nonTarget,
    unknown,
  ];
  return {
    input: { text: `${example.context}\nQuestion: ${example.question}` },
    references: answers.map((text) => ({
      output: { text },
      tags: text === answers[example.label] ? ['correct', ...tags] : tags,
    })),
  };
}

export const bbq: Scenario = {
  entry: 'bbq',
  parameters: {
    subject: { required: true, values: ['all', ...categories] },
    method: { required: false, values: choiceMethods },
  },
  info: {
    name: 'bbq',
    description: 'Questions whose answers can follow a stereotype.',
    tags: ['harms', 'bias'],
    definition_path: helmSource('bbq_scenario'),
  },
  main: { metric: 'quasi_exact_match', split: 'test' },
  run: ({ subject = '', method = 'multiple_choice_joint' }) => ({
    name: `bbq:subject=${subject},method=${method}`,
    scenario_spec: { class_name: 'helm.benchmark.scenarios.bbq_scenario.BBQScenario', args: { subject } },
    adapter_spec: multipleChoice(method, {
      instructions: 'The following are multiple choice questions (with answers).',
      input: 'Passage',
      output: 'Answer',
    }),
    metric_specs: [
      { class_name: 'helm.benchmark.metrics.bbq_metrics.BBQMetric', args: {} },
      ...exactMatchMetrics(),
    ],
    groups: ['bbq'],
  }),
  async instances({ subject }, { data }) {
    const loaded: Omit<NewInstance, 'split'>[] = [];
    for (const category of subject === 'all' ? categories : [String(subject)]) {
      const file = join(data, 'bbq', 'data', category);
      const text = await readData(
        file,
        `https://raw.githubusercontent.com/nyu-mll/BBQ/main/data/${category}.jsonl`,
      );
      for (const [index, line] of text.replace(/\n$/, '').split('\n').entries()) {
        const place = { file, line: index + 1 };
        loaded.push(
          instance(
            parseWith(exampleSchema, parseLine(line, file, index + 1), 'The example', place),
            category,
          ),
        );
      }
    }
    new PythonRandom(0).shuffle(loaded);
    return loaded.map((one, index) => ({
      ...one,
      split: index < loaded.length - testCount ? 'train' : 'test',
    }));
  },
};
