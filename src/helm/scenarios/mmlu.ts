import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../../base/index.ts';
import { choiceMethods, multipleChoice } from '../adapter-specs.ts';
import { exactMatchMetrics } from '../metric-specs.ts';
import { parseCsv } from '../python/csv.ts';
import type { NewInstance, Split } from '../spec.ts';
import { missingData, readData } from './data-file.ts';
import { helmSource, type Scenario } from './scenario.ts';

const source = 'https://people.eecs.berkeley.edu/~hendrycks/data.tar';
const letters = ['A', 'B', 'C', 'D', 'E'];

/** The folders of the data, in the order in which HELM reads them. */
const parts: readonly (readonly [part: string, split: Split])[] = [
  ['auxiliary_train', 'train'],
  ['dev', 'train'],
  ['val', 'valid'],
  ['test', 'test'],
];

async function readPart(file: string, split: Split): Promise<NewInstance[]> {
  return parseCsv(await readData(file, source)).map(({ fields, line }) => {
    const options = fields.slice(1, -1);
    const correct = options[letters.indexOf(fields.at(-1) ?? '')];
    if (correct === undefined) {
      throw new UserError(`The last field is no letter of an option: ${JSON.stringify(fields.at(-1))}`, {
        place: { file, line },
        remedy: 'A row is: question, options, letter.',
      });
    }
    return {
      input: { text: fields[0] ?? '' },
      // Options of the same text are all correct.
      references: options.map((text) => ({ output: { text }, tags: text === correct ? ['correct'] : [] })),
      split,
    };
  });
}

export const mmlu: Scenario = {
  entry: 'mmlu',
  parameters: {
    subject: { required: true },
    method: { required: false, values: choiceMethods },
  },
  info: {
    name: 'mmlu',
    description: 'Multiple-choice questions of 57 subjects.',
    tags: ['knowledge', 'multiple_choice'],
    definition_path: helmSource('mmlu_scenario'),
  },
  main: { metric: 'exact_match', split: 'test' },
  run: ({ subject = '', method = 'multiple_choice_joint' }) => ({
    name: `mmlu:subject=${subject},method=${method}`,
    scenario_spec: { class_name: 'helm.benchmark.scenarios.mmlu_scenario.MMLUScenario', args: { subject } },
    adapter_spec: multipleChoice(method, {
      instructions: `The following are multiple choice questions (with answers) about ${String(subject).replaceAll('_', ' ')}.`,
      input: 'Question',
      output: 'Answer',
    }),
    metric_specs: exactMatchMetrics(),
    groups: ['mmlu'],
  }),
  async instances({ subject }, { data }) {
    const files = parts.map(([part, split]) => ({
      file: join(data, 'mmlu', 'data', part, `${subject}_${part}.csv`),
      split,
    }));
    const instances: NewInstance[] = [];
    let found = false;
    for (const { file, split } of files) {
      if (!(await stat(file).catch(() => undefined))) continue;
      found = true;
      instances.push(...(await readPart(file, split)));
    }
    if (!found)
      throw missingData(
        files.slice(1).map(({ file }) => file),
        source,
      );
    return instances;
  },
};
