import { adapterDefaults } from '../adapter-specs.ts';
import { generationMetrics, instanceCount } from '../metric-specs.ts';
import { NumpyRandom, PythonRandom } from '../python/random.ts';
import type { NewInstance, Split } from '../spec.ts';
import { answered, helmSource, type Scenario } from './scenario.ts';

// HELM's Dyck language: close the brackets of a sequence. The grammar is S -> ( S ) | S S | nothing.

const allPairs = ['()', '[]', '{}', '<>'];
const nestProbability = 0.5;
const pairProbability = 0.25;
const maxDepth = 100;
const maxSequence = 100;
const maxOutput = 3;

class DyckGenerator {
  // Python's stream drives the grammar, NumPy's the kind of bracket.
  private readonly random = new PythonRandom(42);
  private readonly numpy = new NumpyRandom(42);
  private readonly pairs: readonly string[];
  private readonly opening: string;

  constructor(pairs: number) {
    this.pairs = allPairs.slice(0, pairs);
    this.opening = this.pairs.map((pair) => pair.charAt(0)).join('');
  }

  corpus(split: Split, count: number, min: number, max: number, taken: Set<string>): NewInstance[] {
    const instances: NewInstance[] = [];
    while (instances.length < count) {
      const { input, output } = this.draw(min, max);
      if (taken.has(input)) continue;
      taken.add(input);
      instances.push(answered([...input].join(' '), ` ${[...output].join(' ')}`, split));
    }
    return instances;
  }

  private draw(min: number, max: number): { input: string; output: string } {
    for (;;) {
      const sequence = this.sequence(0, max);
      if (sequence.length < min) continue;
      const input = this.cut(sequence, this.random.randint(1, maxOutput));
      if (input !== '') return { input, output: this.close(input) };
    }
  }

  /** A random sequence of brackets, one character each; nothing where it grows longer than `max`. */
  private sequence(depth: number, max: number): string {
    if (depth > maxDepth) return '';
    const draw = this.random.random();
    let result = '';
    if (draw < nestProbability) {
      const pair = this.pairs[this.numpy.randint(0, this.pairs.length)] as string;
      result = pair.charAt(0) + this.sequence(depth + 1, maxSequence) + pair.charAt(1);
    } else if (draw < nestProbability + pairProbability) {
      const left = this.sequence(depth, maxSequence);
      result = left + this.sequence(depth, maxSequence);
    }
    return result.length <= max ? result : '';
  }

  /** The start of the sequence up to where `open` brackets stay open. */
  private cut(sequence: string, open: number): string {
    let depth = 0;
    for (let i = sequence.length - 1; i >= 0; i--) {
      depth += this.opening.includes(sequence.charAt(i)) ? -1 : 1;
      if (depth === open) return sequence.slice(0, i);
    }
    return '';
  }

  private close(input: string): string {
    const stack: string[] = [];
    for (const bracket of input) {
      const pair = this.pairs[this.opening.indexOf(bracket)];
      if (pair) stack.push(pair.charAt(1));
      else stack.pop();
    }
    return stack.reverse().join('');
  }
}

export const dyckLanguage: Scenario = {
  entry: 'dyck_language',
  parameters: { num_parenthesis_pairs: { required: true, values: ['1', '2', '3', '4'] } },
  info: {
    name: 'dyck_language',
    description: 'Close the brackets of a sequence.',
    tags: ['reasoning', 'language', 'hierarchy'],
    definition_path: helmSource('dyck_language_scenario'),
  },
  main: { metric: 'exact_match_indicator', split: 'test' },
  run: ({ num_parenthesis_pairs: pairs = 0 }) => ({
    name: `dyck_language_np=${pairs}`,
    scenario_spec: {
      class_name: 'helm.benchmark.scenarios.dyck_language_scenario.DyckLanguageScenario',
      args: { num_parenthesis_pairs: pairs },
    },
    adapter_spec: {
      ...adapterDefaults,
      instructions:
        'Please complete the rest of the following Dyck sequences, making sure that the parentheses are closed properly.\n',
      input_suffix: '',
      output_prefix: '',
      output_suffix: '',
      max_train_instances: 3,
      num_outputs: 1,
      max_tokens: 5,
      temperature: 0,
      stop_sequences: ['\n'],
    },
    metric_specs: [...generationMetrics(['exact_match_indicator']), instanceCount],
    groups: ['dyck_language'],
  }),
  instances: ({ num_parenthesis_pairs: pairs }) => {
    const generator = new DyckGenerator(Number(pairs));
    const taken = new Set<string>();
    const train = generator.corpus('train', 3, 4, 50, taken);
    return [...train, ...generator.corpus('test', 500, 52, 100, taken)];
  },
};
