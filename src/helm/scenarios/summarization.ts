import { join } from 'node:path';
import { UserError } from '../../base/index.ts';
import { adapterDefaults } from '../adapter-specs.ts';
import { basicMetrics } from '../metric-specs.ts';
import { type Unpickled, unpickle } from '../python/pickle.ts';
import { splitWords } from '../python/text.ts';
import type { NewInstance } from '../spec.ts';
import { readDataBytes } from './data-file.ts';
import { answered, helmSource, type Scenario } from './scenario.ts';

const source =
  'https://storage.googleapis.com/crfm-helm-public/source_datasets/scenarios/summarization_scenario/cnndm.pk';

const minTrainWords = 50;
const maxTrainWords = 150;
const maxWords = 512;

const splits = [
  ['train', 'train'],
  ['validation', 'valid'],
  ['test', 'test'],
] as const;

function field(example: Unpickled, key: string, file: string): string {
  const value = example instanceof Map ? example.get(key) : undefined;
  if (typeof value === 'string') return value;
  throw new UserError(`An example has no text "${key}"`, { place: { file } });
}

/** News articles and their highlights. */
export const summarizationCnndm: Scenario = {
  entry: 'summarization_cnndm',
  parameters: { device: { required: false, values: ['cpu'] } },
  info: {
    name: 'summarization',
    description: 'Summaries of news articles (CNN/DailyMail).',
    tags: ['summarization'],
    definition_path: helmSource('summarization_scenario'),
  },
  main: { metric: 'rouge_2', split: 'test' },
  run: ({ device = 'cpu' }) => ({
    name: `summarization_cnndm:temperature=0.3,device=${device}`,
    scenario_spec: {
      class_name: 'helm.benchmark.scenarios.summarization_scenario.SummarizationScenario',
      args: {
        dataset_name: 'cnn-dm',
        sampling_min_length: minTrainWords,
        sampling_max_length: maxTrainWords,
        doc_max_length: maxWords,
      },
    },
    adapter_spec: {
      ...adapterDefaults,
      input_prefix: '###\nArticle: ',
      input_suffix: '\n\n',
      output_prefix: 'Summarize the above article in 3 sentences.\n',
      num_outputs: 1,
      max_tokens: 128,
      temperature: 0.3,
      stop_sequences: ['###'],
    },
    metric_specs: [
      {
        class_name: 'helm.benchmark.metrics.summarization_metrics.SummarizationMetric',
        args: { task: 'summarization_cnndm', device },
      },
      ...basicMetrics([]),
    ],
    groups: ['summarization_cnndm'],
  }),
  async instances(_args, { data }) {
    const file = join(data, 'summarization', 'data', 'cnndm.pk');
    const set = unpickle(await readDataBytes(file, source), file);
    const instances: NewInstance[] = [];
    for (const [part, split] of splits) {
      const examples = set instanceof Map ? set.get(part) : undefined;
      if (!Array.isArray(examples))
        throw new UserError(`The data has no list "${part}"`, { place: { file } });
      for (const example of examples) {
        const article = splitWords(field(example, 'article', file)).slice(0, maxWords);
        const summary = splitWords(field(example, 'highlights', file)).join(' ');
        if (split === 'train' && (article.length < minTrainWords || article.length > maxTrainWords)) continue;
        instances.push(answered(article.join(' '), summary, split));
      }
    }
    return instances;
  },
};
