import { readFileSync } from 'node:fs';

/** Vectors that HELM itself computed, on invented inputs. */
export const golden = JSON.parse(
  readFileSync(new URL('../../fixtures/golden/helm-golden.json', import.meta.url), 'utf8'),
) as {
  readonly python_random: readonly {
    readonly seed: number | string;
    readonly shuffle10: number[];
    readonly randrange37x5: number[];
    readonly random3: number[];
    readonly choice_of_26x3: number[];
    readonly randint_1_3x5: number[];
    readonly sample_20_5: number[];
    readonly uniform01: number;
  }[];
  readonly numpy_seed0_choice_noreplace: readonly {
    readonly n: number;
    readonly k: number;
    readonly idx: number[];
  }[];
  readonly text_metrics: readonly (Readonly<Record<string, number>> & {
    readonly gold: never;
    readonly pred: never;
  })[];
  readonly porter_nltk_extensions: Readonly<Record<string, string>>;
  readonly calibration: readonly (Readonly<Record<string, number>> & {
    readonly max_prob: never;
    readonly correct: never;
  })[];
  readonly stat: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly win_rate: readonly {
    readonly lower_is_better: (boolean | null)[];
    readonly rows: (number | null)[][];
    readonly mean_win_rate: (number | null)[];
  }[];
  readonly prompts: {
    readonly mc_instances: readonly GoldenInstance[];
    readonly gen_instances: readonly GoldenInstance[];
    readonly cases: readonly {
      readonly case: string;
      readonly train_trial_index: number;
      readonly train_ids_in_prompt: string[];
      readonly eval_id: string;
      readonly output_mapping: Record<string, string> | null;
      readonly process_body: Record<string, unknown> & { readonly prompt: string };
    }[];
  };
  readonly builtin_offline_prompt_hashes: Readonly<
    Record<
      string,
      readonly {
        readonly id: string;
        readonly split: string;
        readonly sha256: string;
        readonly chars: number;
      }[]
    >
  >;
  readonly bbq: {
    readonly rows: readonly { readonly tags: string[]; readonly completion: string }[];
    readonly stats: Readonly<Record<string, number>>;
  };
  readonly perturbations: readonly {
    readonly id: string;
    readonly text: string;
    readonly mild_mix: string;
    readonly gender_pronouns_male_to_female: string;
  }[];
  readonly run_entry_expansion: readonly {
    readonly description: string;
    readonly runs: readonly {
      readonly name: string;
      readonly groups: string[];
      readonly max_train_instances: number;
      readonly max_eval_instances: number;
      readonly num_train_trials: number;
      readonly max_tokens: number;
      readonly num_outputs: number;
      readonly temperature: number;
      readonly stop_sequences: string[];
      readonly perturbations: string[];
    }[];
  }[];
};

interface GoldenInstance {
  readonly id: string;
  readonly split: 'train' | 'valid' | 'test';
  readonly input: string;
  readonly references: readonly { readonly text: string; readonly tags: string[] }[];
}
