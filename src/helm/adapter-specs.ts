import type { AdapterMethod, AdapterSpec } from './spec.ts';

/** HELM's defaults of an AdapterSpec. */
export const adapterDefaults: AdapterSpec = {
  method: 'generation',
  global_prefix: '',
  global_suffix: '',
  instructions: '',
  input_prefix: 'Input: ',
  input_suffix: '\n',
  reference_prefix: 'A. ',
  reference_suffix: '\n',
  chain_of_thought_prefix: '',
  chain_of_thought_suffix: '\n',
  output_prefix: 'Output: ',
  output_suffix: '\n',
  instance_prefix: '\n',
  substitutions: [],
  max_train_instances: 5,
  num_outputs: 5,
  num_train_trials: 1,
  num_trials: 1,
  sample_train: true,
  model_deployment: '',
  model: '',
  temperature: 1,
  max_tokens: 100,
  stop_sequences: [],
  multi_label: false,
};

/** Instructions are a block of their own: a line break follows them, and the separator of blocks another. */
function instructionBlock(instructions: string): string {
  return instructions === '' ? '' : `${instructions}\n`;
}

interface ChoiceOptions {
  readonly instructions: string;
  /** The word before each input: `Question`. */
  readonly input: string;
  readonly output: string;
  readonly maxTrainInstances?: number;
  readonly maxTokens?: number;
}

/** Multiple choice asked jointly: all options with letters, one letter expected. */
export function multipleChoiceJoint(options: ChoiceOptions): AdapterSpec {
  return {
    ...adapterDefaults,
    method: 'multiple_choice_joint',
    instructions: instructionBlock(options.instructions),
    input_prefix: `${options.input}: `,
    output_prefix: `${options.output}: `,
    max_train_instances: options.maxTrainInstances ?? 5,
    max_tokens: options.maxTokens ?? 1,
    temperature: 0,
    stop_sequences: ['\n'],
  };
}

/** The ways to ask multiple choice that a run entry's `method` can name. */
export const choiceMethods = [
  'multiple_choice_joint',
  'multiple_choice_separate_original',
  'multiple_choice_separate_calibrated',
] as const satisfies readonly AdapterMethod[];

/** Multiple choice by the method that a run entry names; scored separately, it takes neither words nor examples. */
export function multipleChoice(method: string | number, options: ChoiceOptions): AdapterSpec {
  const known = choiceMethods.find((name) => name === method) ?? 'multiple_choice_joint';
  if (known === 'multiple_choice_joint') return multipleChoiceJoint(options);
  return {
    ...adapterDefaults,
    method: known,
    input_prefix: '',
    input_suffix: '',
    output_prefix: ' ',
    output_suffix: '',
    max_train_instances: 0,
    num_outputs: 1,
    max_tokens: 0,
    temperature: 0,
  };
}

interface GenerationOptions {
  readonly instructions?: string;
  /** The word before each input; none unless told. */
  readonly input?: string;
  /** The input starts on a line of its own. */
  readonly inputOnNewLine?: boolean;
  readonly output?: string;
  readonly maxTrainInstances?: number;
  readonly maxTokens: number;
  readonly stop?: readonly string[];
}

/** Free generation: the model writes the output after its prefix. */
export function generation(options: GenerationOptions): AdapterSpec {
  const prefix = (word: string | undefined, end: string) => (word === undefined ? '' : `${word}:${end}`);
  return {
    ...adapterDefaults,
    instructions: instructionBlock(options.instructions ?? ''),
    input_prefix: prefix(options.input, options.inputOnNewLine ? '\n' : ' '),
    output_prefix: prefix(options.output, ' '),
    max_train_instances: options.maxTrainInstances ?? 5,
    num_outputs: 1,
    max_tokens: options.maxTokens,
    temperature: 0,
    stop_sequences: options.stop ?? ['\n'],
  };
}
