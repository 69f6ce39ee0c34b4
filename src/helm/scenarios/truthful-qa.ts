import { join } from 'node:path';
import { UserError } from '../../base/index.ts';
import { choiceMethods, multipleChoice } from '../adapter-specs.ts';
import { exactMatchMetrics } from '../metric-specs.ts';
import { type CsvRow, parseCsv } from '../python/csv.ts';
import { strip } from '../python/text.ts';
import type { NewInstance, Split } from '../spec.ts';
import { readData } from './data-file.ts';
import { helmSource, type Scenario } from './scenario.ts';

const source =
  'https://raw.githubusercontent.com/sylinrl/TruthfulQA/d71c110897f5d31c5d7f309e7bc316c152f6f031/data/v1/TruthfulQA.csv';

function withPeriod(text: string): string {
  const stripped = strip(text);
  return stripped.endsWith('.') ? stripped : `${stripped}.`;
}

function instance({ fields, line }: CsvRow, split: Split, file: string): NewInstance {
  const [, , question, best = '', , incorrect = ''] = fields;
  if (fields.length !== 7 || question === undefined || strip(best) === '') {
    throw new UserError(
      'The row is none of TruthfulQA: seven fields, the fourth of which is the best answer',
      {
        place: { file, line },
      },
    );
  }
  const answer = withPeriod(best);
  const wrong = incorrect
    .split(';')
    .filter((text) => strip(text) !== '')
    .map((text) => ({ output: { text: withPeriod(text) }, tags: [] as string[] }));
  const references = [...wrong, { output: { text: answer }, tags: ['correct'] }];
  // The right answer is not always the last: the first letter of the text says how far the list is turned.
  const turn = (answer.codePointAt(0) as number) % references.length;
  return {
    input: { text: strip(question) },
    references: [...references.slice(turn), ...references.slice(0, turn)],
    split,
  };
}

export const truthfulQa: Scenario = {
  entry: 'truthful_qa',
  parameters: {
    task: { required: true, values: ['mc_single'] },
    method: { required: false, values: choiceMethods },
  },
  info: {
    name: 'truthful_qa',
    description: 'Questions to which false answers are common.',
    tags: ['knowledge', 'harms', 'multiple_choice'],
    definition_path: helmSource('truthful_qa_scenario'),
  },
  main: { metric: 'exact_match', split: 'valid' },
  run: ({ task = '', method = 'multiple_choice_joint' }) => ({
    name: `truthful_qa:task=${task},method=${method}`,
    scenario_spec: {
      class_name: 'helm.benchmark.scenarios.truthful_qa_scenario.TruthfulQAScenario',
      args: { task },
    },
    adapter_spec: multipleChoice(method, { instructions: '', input: 'Question', output: 'Answer' }),
    metric_specs: exactMatchMetrics(),
    groups: ['truthful_qa'],
  }),
  async instances(_args, { data }) {
    const file = join(data, 'truthful_qa', 'data', 'TruthfulQA.csv');
    const rows = parseCsv(await readData(file, source)).slice(1);
    const trainCount = Math.trunc(rows.length * 0.2);
    return rows.map((row, index) => instance(row, index < trainCount ? 'train' : 'valid', file));
  },
};
