import { generation } from '../adapter-specs.ts';
import { exactMatchMetrics } from '../metric-specs.ts';
import { NumpyRandom } from '../python/random.ts';
import { compareCodePoints } from '../python/text.ts';
import type { NewInstance } from '../spec.ts';
import { answered, helmSource, type Scenario } from './scenario.ts';

// HELM's synthetic reasoning: patterns of symbols, substitutions for the symbols, and what results.
// Every draw is made in HELM's order, whether the mode uses it or not, so that the instances are HELM's.

const modes = ['pattern_match', 'variable_substitution', 'induction'] as const;

const ruleSymbols = ['X', 'Y', 'Z'];
const mathSymbols = ['+', '-', '*', '='];
// biome-ignore format: word lists
const words = [
  'zebra', 'cobra', 'stork', 'penguin', 'shark', 'lion', 'buffalo', 'whale', 'seal', 'eagle', 'horse', 'rat',
  'apple', 'peach', 'watermelon', 'banana', 'grape', 'kiwi', 'pear', 'strawberry', 'blueberry', 'blackberry',
];

const trainCount = 1000;
const validCount = 5000;
const testCount = 5000;

/** A text of one or two words for each symbol. */
function drawSubstitution(rng: NumpyRandom, symbols: readonly string[]): Map<string, string> {
  return new Map(symbols.map((symbol) => [symbol, rng.choices(words, rng.randint(1, 3)).join(' ')] as const));
}

function drawPattern(rng: NumpyRandom, math: readonly string[], rules: readonly string[]): string[] {
  const pattern = [...rules, ...math];
  rng.shuffle(pattern);
  return pattern;
}

function* generate(mode: string): Generator<NewInstance> {
  const rng = new NumpyRandom(42);
  for (let i = 0; i < trainCount + validCount + testCount; i++) {
    const ruleCount = rng.randint(2, 4);
    const rules = rng.choices(ruleSymbols, ruleCount);
    const distinct = [...new Set(rules)].sort(compareCodePoints);
    const mathCount = rng.randint(2, 4);
    const math = rng.choices(mathSymbols, mathCount);
    const pattern = drawPattern(rng, math, rules);
    const first = drawSubstitution(rng, distinct);
    const second = drawSubstitution(rng, distinct);
    const apply = (substitution: Map<string, string>) =>
      pattern.map((symbol) => substitution.get(symbol) ?? symbol).join(' ');
    const patternText = pattern.join(' ');
    const split = i < trainCount ? 'train' : i < trainCount + validCount ? 'valid' : 'test';
    if (mode === 'induction') {
      yield answered(`Two results: ${apply(first)} | ${apply(second)}`, `Rule: ${patternText}`, split);
    } else if (mode === 'variable_substitution') {
      const list = Array.from(first, ([symbol, text]) => `${symbol} by " ${text} "`).join(' , ');
      yield answered(`Rules: ${patternText} | Substitutions: ${list}`, apply(first), split);
    } else {
      const candidates = Array.from({ length: 3 }, () => drawPattern(rng, math, distinct).join(' '));
      candidates.push(patternText);
      rng.shuffle(candidates);
      yield answered(`Rules: ${candidates.join(' | ')} | Result: ${apply(first)}`, patternText, split);
    }
  }
}

export const syntheticReasoning: Scenario = {
  entry: 'synthetic_reasoning',
  parameters: { mode: { required: true, values: modes } },
  info: {
    name: 'synthetic_reasoning',
    description: 'Reasoning over patterns of symbols: match, substitute, induce.',
    tags: ['reasoning', 'language', 'pattern_matching'],
    definition_path: helmSource('synthetic_reasoning_scenario'),
  },
  main: { metric: 'quasi_exact_match', split: 'test' },
  run: ({ mode = '' }) => ({
    name: `synthetic_reasoning:mode=${mode}`,
    scenario_spec: {
      class_name: 'helm.benchmark.scenarios.synthetic_reasoning_scenario.SyntheticReasoningScenario',
      args: { mode },
    },
    adapter_spec: generation({
      instructions: 'Please solve the following problem.',
      output: 'Target',
      maxTokens: 50,
    }),
    metric_specs: exactMatchMetrics(),
    groups: ['synthetic_reasoning', `synthetic_reasoning_${mode}`],
  }),
  instances: ({ mode }) => Array.from(generate(String(mode))),
};
