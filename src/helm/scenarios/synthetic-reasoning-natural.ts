import { generation } from '../adapter-specs.ts';
import { basicMetrics } from '../metric-specs.ts';
import { PythonRandom } from '../python/random.ts';
import type { NewInstance } from '../spec.ts';
import { answered, helmSource, type Scenario } from './scenario.ts';

// HELM's synthetic reasoning in plain English: rules, a fact, and what follows from both in one step.

const difficulties = ['easy', 'medium', 'hard'] as const;

// biome-ignore format: word lists
const subjects: ReadonlyMap<string, readonly string[]> = new Map([
  ['person', ['Alice', 'Bob', 'Carol', 'Dan', 'Erin', 'Frank']],
  ['animal', ['dog', 'cat', 'rabbit', 'mouse', 'tiger', 'lion', 'bear', 'squirrel', 'cow', 'panda', 'hedgehog', 'elephant', 'giraffe', 'hippo']],
  ['plant', ['poppy', 'dandelion', 'tree', 'rose', 'sunflower']],
]);

/** Each attribute with the words that say it more specifically. */
// biome-ignore format: word lists
const attributes: ReadonlyMap<string, readonly string[]> = new Map([
  ['young', ['young']], ['soft', ['soft']], ['sad', ['sad']], ['scary', ['scary']],
  ['cold', ['cold', 'chill', 'cool']], ['hot', ['hot', 'warm']], ['smart', ['smart', 'clever', 'wise', 'intelligent']],
  ['clean', ['clean', 'tidy']], ['small', ['small', 'little', 'tiny']], ['big', ['big', 'enormous', 'giant', 'huge']],
  ['good', ['good', 'kind', 'nice']], ['beautiful', ['beautiful', 'pretty']], ['red', ['red', 'crimson']],
  ['blue', ['blue', 'cobalt']], ['green', ['green', 'viridian']], ['purple', ['purple', 'violet']],
  ['boring', ['boring', 'dull']], ['old', ['old', 'ancient', 'antique']], ['strong', ['strong', 'powerful', 'muscular']],
  ['weak', ['weak', 'frail', 'fragile']], ['fast', ['fast', 'quick']], ['slow', ['slow', 'sluggish']],
  ['bad', ['bad', 'evil', 'wicked', 'mean']], ['happy', ['happy', 'elated', 'glad', 'cheerful']],
  ['round', ['round', 'circular', 'spherical']],
]);

const attributeNames = [...attributes.keys()];
const trainCount = 1000;
const validCount = 5000;
const testCount = 5000;

interface Rule {
  readonly subject: string;
  readonly condition: readonly string[];
  readonly conjunction: 'and' | 'or';
  readonly consequent: string;
}

/** The subject with its article; names of persons stand alone. */
function specified(subject: string, category: string, article: 'a' | 'the', capital = false): string {
  if (category === 'person' || subject === 'person') return subject;
  const start = capital ? article.charAt(0).toUpperCase() : article.charAt(0);
  const rest = article === 'the' ? 'he' : /^[aeiou]/i.test(subject) ? 'n' : '';
  return `${start}${rest} ${subject}`;
}

function ruleText(rule: Rule, category: string): string {
  const condition = rule.condition.join(` ${rule.conjunction} `);
  const subject = specified(rule.subject, category, 'a');
  return `If ${subject} is ${condition}, then ${specified(rule.subject, category, 'the')} is ${rule.consequent}.`;
}

function factText(subject: string, category: string, words: readonly string[]): string {
  if (words.length === 0) return 'Nothing.';
  return `${specified(subject, category, 'the', true)} is ${words.join(' and ')}.`;
}

function drawRules(rng: PythonRandom, subject: string, category: string, own: boolean): Rule[] {
  let left = [...attributeNames];
  rng.shuffle(left);
  const rules: Rule[] = [];
  while (left.length > 2 && rules.length < 5) {
    const ruleSubject = own ? subject : rng.choice([category, subject]);
    const count = rng.randint(2, 3);
    const used = left.slice(0, count);
    left = left.slice(count);
    rules.push({
      subject: ruleSubject,
      condition: used.slice(0, -1),
      conjunction: rng.choice(['and', 'or'] as const),
      consequent: used.at(-1) as string,
    });
  }
  return rules;
}

/** Draws a fact until something follows from it; one time in ten a fact without consequence is kept. */
function drawFact(rng: PythonRandom, rules: readonly Rule[]) {
  for (;;) {
    const generic = rng.sample(attributeNames, 2);
    const specific = generic.map((name) => rng.choice(attributes.get(name) as readonly string[]));
    const holds = (name: string) => generic.includes(name);
    const consequents = rules
      .filter(({ consequent }) => !holds(consequent))
      .filter(({ condition, conjunction }) =>
        conjunction === 'and' ? condition.every(holds) : condition.some(holds),
      )
      .map(({ consequent }) => consequent);
    if (consequents.length > 0 || rng.random() <= 0.1) return { generic, specific, consequents };
  }
}

function* generate(difficulty: string): Generator<NewInstance> {
  const rng = new PythonRandom(42);
  const categories = [...subjects.keys()];
  for (let i = 0; i < trainCount + validCount + testCount; i++) {
    const category = rng.choice(categories);
    const subject = rng.choice(subjects.get(category) as readonly string[]);
    const rules = drawRules(rng, subject, category, difficulty === 'easy');
    const { generic, specific, consequents } = drawFact(rng, rules);
    const question = [
      ...rules.map((rule) => ruleText(rule, category)),
      'Fact:',
      factText(subject, category, difficulty === 'hard' ? specific : generic),
      `The following can be determined about ${specified(subject, category, 'the')}:`,
    ].join('\n');
    const split = i < trainCount ? 'train' : i < trainCount + validCount ? 'valid' : 'test';
    yield answered(question, factText(subject, category, consequents), split);
  }
}

export const syntheticReasoningNatural: Scenario = {
  entry: 'synthetic_reasoning_natural',
  parameters: { difficulty: { required: true, values: difficulties } },
  info: {
    // HELM spells its data folder this way.
    name: 'sythetic_reasoning_natural',
    description: 'What follows from simple rules and a fact, in English.',
    tags: ['reasoning', 'language', 'pattern_matching'],
    definition_path: helmSource('synthetic_reasoning_natural_scenario'),
  },
  main: { metric: 'f1_set_match', split: 'test' },
  run: ({ difficulty = '' }) => ({
    name: `synthetic_reasoning_natural:difficulty=${difficulty}`,
    scenario_spec: {
      class_name: 'helm.benchmark.scenarios.synthetic_reasoning_natural_scenario.SRNScenario',
      args: { difficulty },
    },
    adapter_spec: generation({
      instructions: 'Please solve the following problem.',
      input: 'Rules',
      inputOnNewLine: true,
      maxTrainInstances: 3,
      maxTokens: 20,
    }),
    metric_specs: basicMetrics(['f1_set_match', 'iou_set_match', 'exact_set_match']),
    groups: ['synthetic_reasoning', 'synthetic_reasoning_natural'],
  }),
  instances: ({ difficulty }) => Array.from(generate(String(difficulty))),
};
