import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { mediaPath, parseWith, UserError } from '../../base/index.ts';
import { adapterDefaults } from '../adapter-specs.ts';
import { exactMatchMetrics } from '../metric-specs.ts';
import type { NewInstance } from '../spec.ts';
import { readInstances } from './instances-file.ts';
import type { Scenario, ScenarioArguments } from './scenario.ts';

// The two tasks of the demo checkpoints, in files of our own: held-out instances, asked zero-shot.

const taskSchema = z.object({
  id: z.string(),
  name: z.string(),
  title: z.string(),
  instructions: z.string(),
  input_prefix: z.string(),
  input_suffix: z.string(),
  output_prefix: z.string(),
  output_suffix: z.string(),
  stop: z.array(z.string()),
  max_tokens: z.number().int().positive(),
});

type DemoTask = z.infer<typeof taskSchema>;

async function demoTask({ task }: ScenarioArguments): Promise<DemoTask> {
  const file = mediaPath('demo/demo.json');
  const { tasks } = parseWith(
    z.object({ tasks: z.array(taskSchema) }),
    JSON.parse(await readFile(file, 'utf8')),
    'The demo',
    { file },
  );
  const found = tasks.find(({ id, name }) => task === id || task === name);
  if (!found) {
    throw new UserError(`The demo has no task "${task}"`, {
      place: { field: 'task' },
      remedy: `Its tasks are ${tasks.map(({ name }) => name).join(' and ')}.`,
    });
  }
  return found;
}

export const demo: Scenario = {
  entry: 'demo',
  parameters: { task: { required: true } },
  info: {
    name: 'demo',
    description: 'A held-out task of the demo checkpoints.',
    tags: ['demo'],
    definition_path: 'media/demo/tasks',
  },
  main: { metric: 'exact_match', split: 'test' },
  async run(args) {
    const task = await demoTask(args);
    return {
      name: `demo:task=${task.name}`,
      scenario_spec: { class_name: 'submission_studio.demo.DemoScenario', args: { task: task.name } },
      adapter_spec: {
        ...adapterDefaults,
        instructions: task.instructions,
        input_prefix: task.input_prefix,
        input_suffix: task.input_suffix,
        output_prefix: task.output_prefix,
        output_suffix: task.output_suffix,
        max_train_instances: 0,
        num_outputs: 1,
        max_tokens: task.max_tokens,
        temperature: 0,
        stop_sequences: task.stop,
      },
      metric_specs: exactMatchMetrics(),
      groups: ['demo', `demo_${task.name}`],
    };
  },
  async instances(args): Promise<NewInstance[]> {
    return readInstances(mediaPath(`demo/tasks/${(await demoTask(args)).id}.jsonl`));
  },
};
