import { join } from 'node:path';
import { z } from 'zod';
import { parseWith } from '../../base/index.ts';
import { generation } from '../adapter-specs.ts';
import { generationMetrics, instanceCount } from '../metric-specs.ts';
import type { NewInstance } from '../spec.ts';
import { parseLine, readData } from './data-file.ts';
import { answered, helmSource, type Scenario } from './scenario.ts';

const exampleSchema = z.object({ question: z.string(), answer: z.string() });

/** Grade-school word problems; the answer is the working, with the result at its end. */
export const gsm: Scenario = {
  entry: 'gsm',
  parameters: {},
  info: {
    name: 'gsm',
    description: 'Grade-school word problems (GSM8K).',
    tags: ['reasoning', 'math'],
    definition_path: helmSource('gsm_scenario'),
  },
  main: { metric: 'exact_match_indicator', split: 'test' },
  run: () => ({
    name: 'gsm',
    scenario_spec: { class_name: 'helm.benchmark.scenarios.gsm_scenario.GSM8KScenario', args: {} },
    adapter_spec: generation({ input: 'Q', output: 'A', maxTokens: 400, stop: ['\n\n'] }),
    metric_specs: [
      ...generationMetrics(['exact_match_indicator', 'final_number_exact_match']),
      instanceCount,
    ],
    groups: ['gsm'],
  }),
  async instances(_args, { data }) {
    const instances: NewInstance[] = [];
    for (const split of ['train', 'test'] as const) {
      const file = join(data, 'gsm', `gsm_data_${split}`);
      const source = `https://raw.githubusercontent.com/openai/grade-school-math/master/grade_school_math/data/${split}.jsonl`;
      const lines = (await readData(file, source)).replace(/\n$/, '').split('\n');
      instances.push(
        ...lines.map((line, index) => {
          const place = { file, line: index + 1 };
          const example = parseWith(exampleSchema, parseLine(line, file, index + 1), 'The example', place);
          const answer = example.answer.replaceAll('####', 'The answer is').replaceAll('\n', ' ');
          return answered(example.question, `${answer}.`, split);
        }),
      );
    }
    return instances;
  },
};
