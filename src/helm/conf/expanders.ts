import { type Place, UserError } from '../../base/index.ts';
import { augmentations, augmenterSpec } from '../perturbations/index.ts';
import type { AdapterSpec, RunSpec } from '../spec.ts';
import { suggest } from './nearest.ts';

// Arguments of a run entry that change the run rather than the scenario: HELM's run expanders. Each makes one or more
// runs of one, most add themselves to the run's name.

type Value = string | number;
type Expander = (spec: RunSpec, value: Value, refuse: (remedy: string) => UserError) => RunSpec[];

function adapt(spec: RunSpec, change: Partial<AdapterSpec>): RunSpec {
  return { ...spec, adapter_spec: { ...spec.adapter_spec, ...change } };
}

function named(spec: RunSpec, suffix: string): RunSpec {
  return { ...spec, name: `${spec.name}${suffix}` };
}

/** Adds `key=value` to the name: after a comma where the name has arguments already, else after a colon. */
function nameArgument(spec: RunSpec, key: string, value: Value): RunSpec {
  const separator = spec.name.includes(':') ? ',' : ':';
  return named(spec, `${separator}${key}=${String(value).replaceAll('/', '_')}`);
}

/** What an object holds under a name that a user gave; not what it inherits. */
export function own<T>(values: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(values, key) ? values[key] : undefined;
}

/** Sets one number of the adapter, or each of a list that has a name. */
function setNumber(
  key: 'max_train_instances' | 'max_eval_instances' | 'num_train_trials' | 'num_outputs',
  lists: Readonly<Record<string, readonly number[]>>,
): Expander {
  return (spec, value, refuse) => {
    const values = own(lists, String(value)) ?? [value];
    return values.map((number) => {
      if (typeof number !== 'number' || !Number.isInteger(number) || number < 0) {
        throw refuse(
          `Give a whole number${Object.keys(lists).length ? ` or ${Object.keys(lists).join(', ')}` : ''}.`,
        );
      }
      return adapt(nameArgument(spec, key, number), { [key]: number });
    });
  };
}

function choose<T>(
  values: Readonly<Record<string, T>>,
  value: Value,
  refuse: (remedy: string) => UserError,
): T {
  const found = own(values, String(value));
  if (found === undefined) throw refuse(suggest(String(value), Object.keys(values)));
  return found;
}

function finite(value: Value, refuse: (remedy: string) => UserError): number {
  if (typeof value !== 'number') throw refuse('Give a number.');
  return value;
}

/** Ways of asking that the `prompt` expander knows. */
const prompts: Readonly<Record<string, Partial<AdapterSpec>>> = {
  human_assistant: {
    input_prefix: 'Human: What is the answer to "',
    input_suffix: '"?\n',
    output_prefix: 'Assistant: The answer is "',
    output_suffix: '".\n',
    stop_sequences: ['".'],
  },
  question_answer: { input_prefix: 'Question: ', output_prefix: 'Answer: ' },
  qa: { input_prefix: 'Q: ', output_prefix: 'A: ' },
  input_output_html: {
    input_prefix: '<input>',
    input_suffix: '</input>\n',
    output_prefix: '<output>',
    output_suffix: '</output>\n',
  },
  input_output: { input_prefix: 'Input: ', output_prefix: 'Output: ' },
  i_o: { input_prefix: 'I: ', output_prefix: 'O: ' },
};

const expertInstructions = 'I am an expert AI assistant who is here to help you with the following. ';

const expanders: Readonly<Record<string, Expander>> = {
  instructions: (spec, value, refuse) => {
    const { instructions } = spec.adapter_spec;
    const changed = choose({ none: '', expert: expertInstructions + instructions }, value, refuse);
    return [adapt(named(spec, `,instructions=${value}`), { instructions: changed })];
  },
  prompt: (spec, value, refuse) => [adapt(named(spec, `,prompt=${value}`), choose(prompts, value, refuse))],
  newline: (spec, value, refuse) => {
    const target = choose({ semicolon: ';\n', br: '<br>\n' }, value, refuse);
    return [adapt(named(spec, `,newline=${value}`), { substitutions: [{ source: '\n', target }] })];
  },
  stop: (spec, value, refuse) => {
    const stop = choose({ none: '', hash: '###', semicolon: ';', br: '<br>' }, value, refuse);
    const change =
      stop === '' ? { stop_sequences: [] } : { stop_sequences: [stop], instance_prefix: `${stop}\n\n` };
    return [adapt(named(spec, `,stop=${value}`), change)];
  },
  add_to_stop: (spec, value) => [
    adapt(spec, {
      stop_sequences: [...spec.adapter_spec.stop_sequences, value === 'newline' ? '\n' : String(value)],
    }),
  ],
  global_prefix: (spec, value, refuse) => [
    adapt(named(spec, `,global_prefix=${value}`), { global_prefix: choose({ nlg: '[NLG]' }, value, refuse) }),
  ],
  num_train_trials: setNumber('num_train_trials', {}),
  max_train_instances: setNumber('max_train_instances', {
    zero: [0],
    one: [1],
    all: [0, 1, 2, 4, 8, 16],
    big_bench_few_shot_setting: [0, 1, 2, 3],
    vhelm: [0, 1, 2, 4, 8],
    melt: [0, 1, 5],
  }),
  max_eval_instances: setNumber('max_eval_instances', {
    default: [1000],
    heim_default: [100],
    heim_fid: [30000],
    heim_art_styles: [17],
  }),
  num_outputs: setNumber('num_outputs', { default: [1], copyright_sweep: [1, 10] }),
  num_output_tokens: (spec, value, refuse) => {
    const values = value === 'default_sweep' ? [1, 2, 4, 8, 16, 32, 64] : [finite(value, refuse)];
    return values.map((tokens) =>
      adapt(nameArgument(spec, 'num_output_tokens', tokens), { max_tokens: tokens }),
    );
  },
  increase_max_tokens: (spec, value, refuse) => [
    adapt(spec, { max_tokens: spec.adapter_spec.max_tokens + finite(value, refuse) }),
  ],
  temperature: (spec, value, refuse) => [adapt(spec, { temperature: finite(value, refuse) })],
  increase_temperature: (spec, value, refuse) => [
    adapt(spec, { temperature: spec.adapter_spec.temperature + finite(value, refuse) }),
  ],
  data_augmentation: (spec, value, refuse) => {
    const perturbations = choose(augmentations, value, refuse);
    const data_augmenter_spec = augmenterSpec(perturbations);
    return [{ ...named(spec, `,data_augmentation=${value}`), data_augmenter_spec }];
  },
  eval_split: (spec, value, refuse) => {
    const split = choose({ test: 'test', valid: 'valid' } as const, value, refuse);
    return [adapt(nameArgument(spec, 'eval_split', split), { eval_splits: [split] })];
  },
};

/** HELM's expanders that make no sense for the challenge's endpoint, or that need what HELM keeps to itself. */
const unsupported = new Set([
  'chatml',
  'follow_format_instructions',
  'format_prompt',
  'num_prompt_tokens',
  'num_trials',
  'output_format_instructions',
  'process_output',
  'tokenizer',
]);

export function isExpander(key: string): boolean {
  return Object.hasOwn(expanders, key) || unsupported.has(key);
}

export const expanderNames: readonly string[] = ['model', 'model_deployment', ...Object.keys(expanders)];

/** Applies one expander; throws a usage error that names `place` for a value that it does not know. */
export function expand(spec: RunSpec, key: string, value: Value, place: Place): RunSpec[] {
  const expander = own(expanders, key);
  if (!expander) {
    throw new UserError(`The run expander "${key}" is not supported`, {
      place: { ...place, field: key },
      remedy: 'Take it out of the entry, or run the entry with helm-run.',
    });
  }
  const refuse = (remedy: string) =>
    new UserError(`${key}=${value} is not a value that HELM knows`, {
      place: { ...place, field: key },
      remedy,
    });
  return expander(spec, value, refuse);
}

/** The `model` expander: HELM's name of the submission goes into the run's name and the adapter. */
export function withModel(spec: RunSpec, model: string): RunSpec {
  return adapt(nameArgument(spec, 'model', model), { model, model_deployment: model });
}
