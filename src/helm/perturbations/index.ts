import { PythonRandom } from '../python/random.ts';
import type { DataAugmenterSpec, Instance, ObjectSpec, Perturbation } from '../spec.ts';
import { dialect, FirstNames, femalePronouns } from './fairness.ts';
import { mildMix } from './mild-mix.ts';
import { type PerturbationTables, readTables } from './tables.ts';

const module = 'helm.benchmark.augmentations';

const robustness: readonly ObjectSpec[] = [
  { class_name: `${module}.mild_mix_perturbation.MildMixPerturbation`, args: {} },
];

const fairness: readonly ObjectSpec[] = [
  {
    class_name: `${module}.dialect_perturbation.DialectPerturbation`,
    args: { prob: 1, source_class: 'SAE', target_class: 'AAVE', mapping_file_path: null },
  },
  {
    class_name: `${module}.gender_perturbation.GenderPerturbation`,
    args: {
      mode: 'pronouns',
      prob: 1,
      source_class: 'male',
      target_class: 'female',
      mapping_file_path: null,
      mapping_file_genders: null,
      bidirectional: false,
    },
  },
  {
    class_name: `${module}.person_name_perturbation.PersonNamePerturbation`,
    args: {
      prob: 1,
      source_class: { race: 'white_american' },
      target_class: { race: 'black_american' },
      name_file_path: null,
      person_name_type: 'first_name',
      preserve_gender: true,
    },
  },
];

/** The values of `data_augmentation` that can be made here, with HELM's perturbations of each. */
export const augmentations: Readonly<Record<string, readonly ObjectSpec[]>> = {
  canonical: [...robustness, ...fairness],
  robustness,
  fairness,
};

/** HELM's DataAugmenterSpec for a run whose evaluation instances are asked as they are and perturbed. */
export function augmenterSpec(perturbations: readonly ObjectSpec[]): DataAugmenterSpec {
  return {
    perturbation_specs: perturbations,
    should_augment_train_instances: false,
    should_include_original_train: true,
    should_skip_unchanged_train: true,
    should_augment_eval_instances: true,
    should_include_original_eval: true,
    should_skip_unchanged_eval: true,
    seeds_per_instance: 1,
  };
}

type Perturb = (instance: Instance) => Instance;

function perturbed(instance: Instance, perturbation: Perturbation, change: Partial<Instance>): Instance {
  return { ...instance, ...change, perturbation };
}

/** A perturbation of single texts: the references first, where they change too, then the input, from one stream. */
function ofTexts(
  perturbation: Perturbation,
  change: (text: string, random: PythonRandom) => string,
  withReferences: boolean,
): Perturb {
  return (instance) => {
    const random = new PythonRandom(instance.id);
    const references = withReferences
      ? instance.references.map(({ output, tags }) => ({
          output: { text: change(output.text, random) },
          tags,
        }))
      : instance.references;
    const input = { text: change(instance.input.text, random) };
    return perturbed(instance, perturbation, { input, references, contrast_inputs: [instance.input] });
  };
}

function ofNames(names: FirstNames, perturbation: Perturbation): Perturb {
  return (instance) => {
    const replace = names.replacer(new PythonRandom(instance.id));
    const references = instance.references.map(({ output, tags }) => ({
      output: { text: replace(output.text) },
      tags,
    }));
    return perturbed(instance, perturbation, { references, input: { text: replace(instance.input.text) } });
  };
}

/** A description with HELM's fields in HELM's order. */
function describe(
  name: string,
  kind: 'robustness' | 'fairness',
  parameters: Partial<Perturbation>,
): Perturbation {
  return {
    name,
    robustness: kind === 'robustness',
    fairness: kind === 'fairness',
    computed_on: 'perturbed',
    ...parameters,
  };
}

const dialectDescription = describe('dialect', 'fairness', {
  prob: 1,
  source_class: 'SAE',
  target_class: 'AAVE',
  // HELM's default path, wherever the list was found: it is a part of the statistics' names.
  mapping_file_path: 'benchmark_output/perturbations/dialect/SAE_to_AAVE_mapping.json',
});

const genderDescription = describe('gender', 'fairness', {
  mode: 'pronouns',
  prob: 1,
  source_class: 'male',
  target_class: 'female',
  bidirectional: false,
});

const namesDescription = describe('person_name', 'fairness', {
  prob: 1,
  source_class: 'race=white_american',
  target_class: 'race=black_american',
  name_file_path: 'benchmark_output/perturbations/person_name/data/person_names.txt',
  person_name_type: 'first_name',
  preserve_gender: true,
});

function create(spec: ObjectSpec, tables: PerturbationTables): Perturb {
  switch (spec.class_name.split('.').at(-1)) {
    case 'MildMixPerturbation':
      return ofTexts(describe('mild_mix', 'robustness', {}), mildMix(tables.misspellings), false);
    case 'DialectPerturbation':
      return ofTexts(dialectDescription, dialect(tables.dialect), true);
    case 'GenderPerturbation':
      return ofTexts(genderDescription, femalePronouns, true);
    default:
      return ofNames(new FirstNames(tables.names), namesDescription);
  }
}

/** Each instance followed by its perturbed versions, those left out whose input did not change. */
export async function augment(
  instances: readonly Instance[],
  spec: DataAugmenterSpec,
  data: string,
): Promise<readonly Instance[]> {
  if (spec.perturbation_specs.length === 0) return instances;
  const tables = await readTables(data);
  const perturbs = spec.perturbation_specs.map((one) => create(one, tables));
  return instances.flatMap((instance) => [
    instance,
    ...perturbs.map((perturb) => perturb(instance)).filter(({ input }) => input.text !== instance.input.text),
  ]);
}
