import type { Json } from './python/json.ts';

// The values of HELM's run files, with HELM's own field names, so that what is in memory is what is on disk.

/** One possible output of an instance; tag `correct` marks a right one. */
export interface Reference {
  readonly output: { readonly text: string };
  readonly tags: readonly string[];
}

/** What was done to an instance's text, and what a statistic was computed on. */
export interface Perturbation {
  readonly name: string;
  readonly robustness: boolean;
  readonly fairness: boolean;
  readonly computed_on: 'perturbed' | 'original' | 'worst';
  readonly [parameter: string]: string | number | boolean;
}

export type Split = 'train' | 'valid' | 'test';

/** One item of a scenario: an input, its references, and where it belongs. */
export interface Instance {
  readonly input: { readonly text: string };
  readonly references: readonly Reference[];
  readonly split: Split;
  readonly sub_split?: string;
  readonly id: string;
  readonly perturbation?: Perturbation;
  /** The inputs before the perturbation. */
  readonly contrast_inputs?: readonly { readonly text: string }[];
}

/** An instance whose scenario leaves it to HELM to number it. */
export type NewInstance = Omit<Instance, 'id'> & { readonly id?: string };

export function isCorrect(reference: Reference): boolean {
  return reference.tags.includes('correct');
}

export type AdapterMethod =
  | 'generation'
  | 'multiple_choice_joint'
  | 'multiple_choice_separate_original'
  | 'multiple_choice_separate_calibrated';

/** How instances become requests (HELM's AdapterSpec, with the fields that its defaults leave set). */
export interface AdapterSpec {
  readonly method: AdapterMethod;
  readonly global_prefix: string;
  readonly global_suffix: string;
  readonly instructions: string;
  readonly input_prefix: string;
  readonly input_suffix: string;
  readonly reference_prefix: string;
  readonly reference_suffix: string;
  readonly chain_of_thought_prefix: string;
  readonly chain_of_thought_suffix: string;
  readonly output_prefix: string;
  readonly output_suffix: string;
  readonly instance_prefix: string;
  readonly substitutions: readonly { readonly source: string; readonly target: string }[];
  readonly max_train_instances: number;
  readonly max_eval_instances?: number;
  readonly num_outputs: number;
  readonly num_train_trials: number;
  readonly num_trials: number;
  readonly sample_train: boolean;
  readonly model_deployment: string;
  readonly model: string;
  readonly temperature: number;
  readonly max_tokens: number;
  readonly stop_sequences: readonly string[];
  readonly multi_label: boolean;
  readonly eval_splits?: readonly Split[];
}

/** A class of HELM's by its dotted name, and its arguments. */
export interface ObjectSpec {
  readonly class_name: string;
  readonly args: Readonly<Record<string, Json>>;
}

export interface DataAugmenterSpec {
  readonly perturbation_specs: readonly ObjectSpec[];
  readonly should_augment_train_instances: boolean;
  readonly should_include_original_train: boolean;
  readonly should_skip_unchanged_train: boolean;
  readonly should_augment_eval_instances: boolean;
  readonly should_include_original_eval: boolean;
  readonly should_skip_unchanged_eval: boolean;
  readonly seeds_per_instance: number;
}

export const noAugmentation: DataAugmenterSpec = {
  perturbation_specs: [],
  should_augment_train_instances: false,
  should_include_original_train: false,
  should_skip_unchanged_train: false,
  should_augment_eval_instances: false,
  should_include_original_eval: false,
  should_skip_unchanged_eval: false,
  seeds_per_instance: 1,
};

/** One run: a scenario, how it is put to the model, and what is measured (HELM's RunSpec). */
export interface RunSpec {
  readonly name: string;
  readonly scenario_spec: ObjectSpec;
  readonly adapter_spec: AdapterSpec;
  readonly metric_specs: readonly ObjectSpec[];
  readonly data_augmenter_spec: DataAugmenterSpec;
  readonly groups: readonly string[];
}

/** HELM's Request: what is asked, before the client turns it into a /process body. */
export interface HelmRequest {
  readonly model_deployment: string;
  readonly model: string;
  readonly embedding: boolean;
  readonly prompt: string;
  readonly temperature: number;
  readonly num_completions: number;
  readonly top_k_per_token: number;
  readonly max_tokens: number;
  readonly stop_sequences: readonly string[];
  readonly echo_prompt: boolean;
  readonly top_p: number;
  readonly presence_penalty: number;
  readonly frequency_penalty: number;
}

export interface Token {
  readonly text: string;
  readonly logprob: number;
}

/** What the endpoint answered. Log-probabilities may be NaN or infinite where a server sends such literals. */
export interface Completion {
  readonly text: string;
  readonly logprob: number;
  readonly tokens: readonly Token[];
  /** Seconds, as the server measured them. */
  readonly request_time: number;
}

/** An instance, or one of its references, as a request. */
export interface RequestState {
  readonly instance: Instance;
  /** Which reference is scored, where each is scored on its own. */
  readonly reference_index?: number;
  /** Whether the reference is scored after its question or by itself. */
  readonly request_mode?: 'original' | 'calibration';
  readonly train_trial_index: number;
  /** Letter to reference text, for multiple choice. */
  readonly output_mapping?: Readonly<Record<string, string>>;
  readonly request: HelmRequest;
  readonly num_train_instances: number;
  readonly prompt_truncated: boolean;
}
