import { NumpyRandom, PythonRandom } from '../python/random.ts';
import { compareCodePoints } from '../python/text.ts';
import { type AdapterSpec, type Instance, isCorrect, type NewInstance, type Split } from '../spec.ts';

/** Numbers the instances as HELM does: all of them, where at least one has no id of its own. */
export function withIds(instances: readonly NewInstance[]): Instance[] {
  const renumber = instances.some(({ id }) => id === undefined);
  return instances.map((instance, index) => ({
    ...instance,
    id: renumber ? `id${index}` : (instance.id as string),
  }));
}

/** The instances that a run uses: all for training, and at most `max_eval_instances` drawn to be asked. */
export function chooseInstances(
  instances: readonly Instance[],
  adapter: AdapterSpec,
): { train: Instance[]; evaluation: Instance[] } {
  const train = instances.filter(({ split }) => split === 'train');
  const splits: readonly Split[] = adapter.eval_splits ?? ['valid', 'test'];
  const pool = instances.filter(({ split }) => splits.includes(split));
  const limit = adapter.max_eval_instances;
  const evaluation =
    limit !== undefined && pool.length > limit
      ? new NumpyRandom(0).choiceWithoutReplacement(pool, limit)
      : pool;
  return { train, evaluation };
}

/**
 * The examples that all prompts of a trial share. HELM takes turns among the answers that occur in the training
 * instances, the frequent ones first, and draws an instance of each.
 */
export function sampleExamples(train: readonly Instance[], adapter: AdapterSpec, trial: number): Instance[] {
  let missing = Math.min(train.length, adapter.max_train_instances);
  if (!adapter.sample_train) return train.slice(missing * trial, missing * (trial + 1));
  const rng = new PythonRandom(trial);
  const unlabeled: Instance[] = [];
  const byLabel = new Map<string, Instance[]>();
  for (const instance of train) {
    const label = instance.references.find(isCorrect)?.output.text;
    if (label === undefined) unlabeled.push(instance);
    else if (byLabel.has(label)) byLabel.get(label)?.push(instance);
    else byLabel.set(label, [instance]);
  }
  const order = labelOrder(byLabel, rng);
  const examples: Instance[] = [];
  // An empty label ends HELM's loop early; without labelled instances left it would never end.
  for (let turn = 0; missing > 0 && order.length > 0; turn++) {
    const label = order[turn % order.length] as string;
    if (label === '') break;
    const instances = byLabel.get(label) as Instance[];
    if (instances.length > 0) {
      examples.push(...instances.splice(rng.randrange(instances.length), 1));
      missing--;
    } else if (order.every((other) => other !== '' && byLabel.get(other)?.length === 0)) break;
  }
  return [...examples, ...rng.sample(unlabeled, Math.min(missing, unlabeled.length))];
}

/** Labels by how many instances have them, most first; ties in random order. */
function labelOrder(byLabel: ReadonlyMap<string, readonly Instance[]>, rng: PythonRandom): string[] {
  const byCount = new Map<number, string[]>();
  for (const label of [...byLabel.keys()].sort(compareCodePoints)) {
    const count = byLabel.get(label)?.length ?? 0;
    byCount.set(count, [...(byCount.get(count) ?? []), label]);
  }
  return [...byCount.keys()]
    .sort((a, b) => b - a)
    .flatMap((count) => {
      const labels = byCount.get(count) as string[];
      rng.shuffle(labels);
      return labels;
    });
}
