import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { parseWith, UserError } from '../../base/index.ts';
import { generation } from '../adapter-specs.ts';
import { basicMetrics } from '../metric-specs.ts';
import { boxedAnswer } from '../metrics/math.ts';
import { NumpyGenerator } from '../python/pcg64.ts';
import { compareCodePoints } from '../python/text.ts';
import type { NewInstance } from '../spec.ts';
import { missingData, parseLine, readData } from './data-file.ts';
import { answered, helmSource, type Scenario, type ScenarioArguments } from './scenario.ts';

const source = 'https://people.eecs.berkeley.edu/~hendrycks/MATH.tar';

const subjects: Readonly<Record<string, string>> = {
  number_theory: 'Number Theory',
  intermediate_algebra: 'Intermediate Algebra',
  algebra: 'Algebra',
  prealgebra: 'Prealgebra',
  geometry: 'Geometry',
  counting_and_probability: 'Counting & Probability',
  precalculus: 'Precalculus',
};

const truths = ['True', 'true', 'False', 'false'] as const;

/** The eight problems that the dataset's authors show before every question, with their answers. */
const officialExamples: readonly (readonly [problem: string, answer: string])[] = [
  [String.raw`What is $\left(\frac{7}{8}\right)^3 \cdot \left(\frac{7}{8}\right)^{-3}$?`, '1'],
  [
    'In how many ways can 4 books be selected from a shelf of 6 books if the order in which the books are selected does not matter?',
    '15',
  ],
  ['Find the distance between the points $(2,1,-4)$ and $(5,8,-3).$', String.raw`\sqrt{59}`],
  [
    'The faces of an octahedral die are labeled with digits $1$ through $8$. What is the probability, expressed as a common fraction, of rolling a sum of $15$ with a pair of such octahedral dice?',
    String.raw`\frac{1}{32}`,
  ],
  [
    'The first three terms of an arithmetic sequence are 1, 10 and 19, respectively. What is the value of the 21st term?',
    '181',
  ],
  [String.raw`Calculate $6 \cdot 8\frac{1}{3}`, '50'],
  [
    'When the binary number $100101110010_2$ is divided by 4, what is the remainder (give your answer in base 10)?',
    '2',
  ],
  [String.raw`How many zeros are at the end of the product 25 $\times$ 240?`, '3'],
];

const problemSchema = z.object({
  problem: z.string(),
  level: z.string(),
  type: z.string(),
  solution: z.string(),
});

type Problem = z.infer<typeof problemSchema> & { readonly file: string };

/** The files of a split, one problem each: a folder for each subject, as MATH.tar unpacks. */
async function readSplit(folder: string): Promise<Problem[]> {
  const names = await readdir(folder, { recursive: true }).catch(() => [] as string[]);
  const files = names.filter((name) => name.endsWith('.json')).sort(compareCodePoints);
  if (files.length === 0) throw missingData([join(folder, '<subject>', '<number>.json')], source);
  const problems: Problem[] = [];
  for (const name of files) {
    const file = join(folder, name);
    const content = parseLine(await readData(file, source), file, 1);
    problems.push({ ...parseWith(problemSchema, content, 'The problem', { file }), file });
  }
  return problems;
}

/** HELM sorts all problems of a split by their text and shuffles them before it picks a subject and a level. */
function inHelmsOrder(problems: readonly Problem[]): Problem[] {
  const sorted = problems.toSorted((a, b) => compareCodePoints(a.problem, b.problem));
  return new NumpyGenerator(42).permutation(sorted.length).map((index) => sorted[index] as Problem);
}

function answerOf({ solution, file }: Problem, chainOfThought: boolean): string {
  const answer = chainOfThought ? solution : boxedAnswer(solution);
  if (answer === undefined) {
    throw new UserError('The solution has no answer in a \\boxed{…}', {
      place: { file, field: 'solution' },
      remedy: 'HELM fails on such a problem too: box the answer, or take the problem out.',
    });
  }
  return answer;
}

function flags({ use_official_examples = 'False', use_chain_of_thought = 'False' }: ScenarioArguments) {
  const isTrue = (value: string | number) => String(value).toLowerCase() === 'true';
  const official = isTrue(use_official_examples);
  const chainOfThought = isTrue(use_chain_of_thought);
  if (official && chainOfThought) {
    throw new UserError('math has official examples or a chain of thought, not both', {
      place: { field: 'use_official_examples' },
      remedy: 'Leave out use_official_examples=True or use_chain_of_thought=True.',
    });
  }
  return { official, chainOfThought };
}

const python = (value: boolean) => (value ? 'True' : 'False');

export const math: Scenario = {
  entry: 'math',
  parameters: {
    subject: { required: true, values: Object.keys(subjects) },
    level: { required: true, values: ['1', '2', '3', '4', '5'] },
    use_official_examples: { required: false, values: truths },
    use_chain_of_thought: { required: false, values: truths },
  },
  info: {
    name: 'MATH',
    description: 'Problems of mathematics competitions, by subject and level.',
    tags: ['knowledge', 'reasoning'],
    definition_path: helmSource('math_scenario'),
  },
  main: { metric: 'math_equiv', split: 'test' },
  run(args) {
    const { subject = '', level = '' } = args;
    const { official, chainOfThought } = flags(args);
    return {
      name: `math:subject=${subject},level=${level},use_official_examples=${python(official)},use_chain_of_thought=${python(chainOfThought)}`,
      scenario_spec: {
        class_name: 'helm.benchmark.scenarios.math_scenario.MATHScenario',
        args: { subject, level, use_official_examples: official, use_chain_of_thought: chainOfThought },
      },
      adapter_spec: {
        ...generation({
          instructions:
            'Given a mathematics problem, determine the answer. Simplify your answer as much as possible.',
          input: 'Problem',
          maxTrainInstances: 8,
          maxTokens: chainOfThought ? 400 : 20,
          stop: [chainOfThought ? '###' : '$'],
        }),
        instance_prefix: '###\n',
        output_prefix: chainOfThought ? 'Answer: ' : 'Answer: $',
        output_suffix: chainOfThought ? '\n' : '$\n',
      },
      metric_specs: basicMetrics([chainOfThought ? 'math_equiv_chain_of_thought' : 'math_equiv']),
      groups: [chainOfThought ? 'math_chain_of_thought' : 'math_regular'],
    };
  },
  async instances(args, { data }) {
    const { official, chainOfThought } = flags(args);
    const subject = subjects[String(args.subject)];
    const level = `Level ${args.level}`;
    const read = async (split: 'train' | 'test'): Promise<NewInstance[]> =>
      inHelmsOrder(await readSplit(join(data, 'MATH', split)))
        .filter(({ type, level: own }) => type === subject && own === level)
        .map((problem) => answered(problem.problem, answerOf(problem, chainOfThought), split));
    const train = official
      ? officialExamples.map(([problem, answer]) => answered(problem, answer, 'train'))
      : await read('train');
    return [...train, ...(await read('test'))];
  },
};
