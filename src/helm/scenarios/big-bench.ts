import { join } from 'node:path';
import { z } from 'zod';
import { parseWith, UserError } from '../../base/index.ts';
import { adapterDefaults } from '../adapter-specs.ts';
import { basicMetrics, exactMatchMetrics } from '../metric-specs.ts';
import { PythonRandom } from '../python/random.ts';
import type { NewInstance, Split } from '../spec.ts';
import { readData } from './data-file.ts';
import { helmSource, type Scenario, type ScenarioArguments, type ScenarioContext } from './scenario.ts';

const taskSchema = z.object({
  metrics: z.array(z.string()),
  keywords: z.array(z.string()).default([]),
  examples: z.array(
    z.object({
      input: z.string(),
      target: z.union([z.string(), z.array(z.string())]).optional(),
      target_scores: z.record(z.string(), z.number()).optional(),
    }),
  ),
  task_prefix: z.string().optional(),
  example_input_prefix: z.string().optional(),
  example_output_prefix: z.string().optional(),
  stop_string: z.union([z.string(), z.number()]).nullish(),
});

type Task = z.infer<typeof taskSchema>;

/** Stands before keys that look like numbers, which JavaScript would otherwise bring into order. */
const ordered = '\u0000';

/** Keeps the keys of objects in the order of the file: options of a question are told apart by it. */
function keepOrder(text: string): string {
  return text.replace(/"((?:[^"\\]|\\.)*)"(\s*:)?/g, (found, content: string, colon: string | undefined) =>
    colon !== undefined && /^\d+$/.test(content) ? `"\\u0000${content}"${colon}` : found,
  );
}

async function readTask({ task, subtask }: ScenarioArguments, { data }: ScenarioContext): Promise<Task> {
  const folder = [String(task), ...(subtask ? [String(subtask)] : [])];
  const file = join(data, 'big_bench', ...folder, 'task.json');
  const base = 'https://raw.githubusercontent.com/google/BIG-bench/main/bigbench/benchmark_tasks';
  const text = await readData(file, `${base}/${folder.join('/')}/task.json`);
  let value: unknown;
  try {
    value = JSON.parse(keepOrder(text));
  } catch (cause) {
    throw new UserError('The task is no JSON', { place: { file }, cause });
  }
  return parseWith(taskSchema, value, 'The task', { file });
}

/** HELM's metrics for BIG-bench's. A multiple-choice grade stands for all others. */
function metrics({ metrics: names }: Task) {
  if (names.includes('multiple_choice_grade')) return exactMatchMetrics();
  const known: Readonly<Record<string, readonly string[]>> = {
    exact_str_match: ['exact_match', 'quasi_exact_match'],
    bleu: ['bleu_1', 'bleu_4'],
    rouge: ['rouge_1', 'rouge_2', 'rouge_l'],
  };
  return basicMetrics([...new Set(names.flatMap((name) => known[name] ?? []))]);
}

function references({ target, target_scores: scores }: Task['examples'][number]): NewInstance['references'] {
  if (scores) {
    const best = Math.max(...Object.values(scores));
    return Object.entries(scores).map(([text, score]) => ({
      output: { text: text.replace(ordered, '') },
      tags: score === best ? ['correct'] : [],
    }));
  }
  return [target ?? []].flat().map((text) => ({ output: { text }, tags: ['correct'] }));
}

export const bigBench: Scenario = {
  entry: 'big_bench',
  parameters: { task: { required: true }, subtask: { required: true } },
  info: {
    name: 'big_bench',
    description: 'A task of BIG-bench.',
    tags: [],
    definition_path: helmSource('big_bench_scenario'),
  },
  main: { metric: 'exact_match', split: 'test' },
  async run(args, context) {
    const task = await readTask(args, context);
    const { task: name = '', subtask = '' } = args;
    const choice = task.metrics.includes('multiple_choice_grade');
    return {
      name: `big_bench:task=${name}${subtask ? `,subtask=${subtask}` : ''}`,
      scenario_spec: {
        class_name: 'helm.benchmark.scenarios.big_bench_scenario.BIGBenchScenario',
        args: { task: name, subtask },
      },
      adapter_spec: {
        ...adapterDefaults,
        method: choice ? 'multiple_choice_joint' : 'generation',
        num_outputs: 1,
        max_tokens: 64,
        temperature: 0,
        instructions: task.task_prefix ?? '',
        input_prefix: task.example_input_prefix ?? 'Question: ',
        output_prefix: task.example_output_prefix ?? 'Answer: ',
        stop_sequences: task.stop_string ? [String(task.stop_string)] : [],
      },
      metric_specs: metrics(task),
      groups: [`big_bench_${name}`],
      tags: task.keywords,
    };
  },
  async instances(args, context) {
    const { examples } = await readTask(args, context);
    new PythonRandom(0).shuffle(examples);
    const testCount = Math.max(Math.trunc(0.2 * examples.length), 16);
    const trainCount = examples.length - 2 * testCount;
    return examples.map((example, index): NewInstance => {
      const split: Split = index < trainCount ? 'train' : index < trainCount + testCount ? 'test' : 'valid';
      return { input: { text: example.input }, references: references(example), split };
    });
  },
};
