import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

// Invented scenario data in HELM's layout, with what ports get wrong: quoted newlines, equal options, few and many
// options, characters outside the basic plane, odd white space, keys that look like numbers, prompts that are too long.

function csv(rows: readonly (readonly string[])[]): string {
  const field = (text: string) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  return rows.map((row) => `${row.map(field).join(',')}\r\n`).join('');
}

function mmlu(part: string, count: number): string {
  return csv(
    Array.from({ length: count }, (_, i) => {
      const question = [
        `What did he bring to him in ${part} ${i}, and is it not his?`,
        `Emily said "it is ${i}",\nbut does not Greg know what is right?`,
        `🙂 Which 𝒳 is the government committee that would not receive ${'word '.repeat(i % 5)}?`,
        `\u2003With the\u00a0definition of environment number ${i}\u3000`,
      ][i % 4] as string;
      const options = [
        ['The man himself', 'nothing ', 'Greg', '🙂 smile'],
        ['same', 'same', 'other', ''],
        ['one', 'two'],
        ['a', 'b', 'c', 'd', 'e'],
      ][(i + part.length) % 4] as string[];
      return [question, ...options, 'ABCDE'.charAt(i % options.length)];
    }),
  );
}

function gsm(count: number): string {
  return Array.from({ length: count }, (_, i) =>
    JSON.stringify({
      question: `Ann has ${i} pens and buys ${i + 2}.${i % 3 === 0 ? ' Long story.'.repeat(120 * (i % 9)) : ''} How many?`,
      answer: `She has ${i}+${i + 2} = <<${i}+${i + 2}=${2 * i + 2}>>${2 * i + 2}.\n#### ${i === 4 ? '1,234' : 2 * i + 2}`,
    }),
  ).join('\n');
}

function truthfulQa(count: number): string {
  const header = [
    'Type',
    'Category',
    'Question',
    'Best Answer',
    'Correct Answers',
    'Incorrect Answers',
    'Source',
  ];
  const rows = Array.from({ length: count }, (_, i) => [
    'x',
    'y',
    ` Is "${i}" a\nnumber?\u001c`,
    i % 5 === 0 ? `🙂 yes ${i}.` : `${'YNM'.charAt(i % 3)}es, ${i} `,
    'Yes; Indeed',
    ['No; Never ;; Perhaps not.', 'No', 'No. ; \u0085 ;Nil'][i % 3] as string,
    'https://example.org',
  ]);
  return csv([header, ...rows]);
}

function bbq(category: string, count: number): string {
  const groups = { Race_ethnicity: 'Black', SES: 'low SES', Race_x_SES: 'Hispanic' }[category] ?? 'old';
  const info =
    { Race_ethnicity: 'M-Black', SES: 'lowSES', Race_x_SES: 'lowSES-F-Hispanic' }[category] ?? 'old';
  return Array.from({ length: count }, (_, i) => {
    const order = [i % 3, (i + 1) % 3, (i + 2) % 3];
    const answers = [
      { text: `The ${category} one`, info: ['one', info] },
      { text: `The other ${i}`, info: i % 7 === 0 ? ['two', info] : ['two', 'other'] },
      { text: 'Not known', info: ['Not known', 'unknown'] },
    ];
    const at = (index: number) => answers[order[index] as number] as (typeof answers)[number];
    return JSON.stringify({
      example_id: i,
      question_polarity: i % 2 === 0 ? 'neg' : 'nonneg',
      context_condition: i % 4 < 2 ? 'ambig' : 'disambig',
      category,
      answer_info: { ans0: at(0).info, ans1: at(1).info, ans2: at(2).info },
      additional_metadata: { stereotyped_groups: [groups, 'none'] },
      context: `Two met in ${category} ${i}.`,
      question: 'Who was late?',
      ans0: at(0).text,
      ans1: at(1).text,
      ans2: at(2).text,
      label: (i * 5) % 3,
    });
  }).join('\n');
}

export const bbqCategories = [
  'Age',
  'Disability_status',
  'Gender_identity',
  'Nationality',
  'Physical_appearance',
  'Race_ethnicity',
  'Race_x_SES',
  'Race_x_gender',
  'Religion',
  'SES',
  'Sexual_orientation',
];

const choiceTask = {
  name: 'snarks',
  description: 'invented',
  keywords: ['a'],
  metrics: ['multiple_choice_grade'],
  task_prefix: 'Choose the number. ',
  example_output_prefix: '\nA: ',
};

/** Written by hand: the order of keys that look like numbers must be the file's. */
function choiceExamples(count: number): string {
  return Array.from(
    { length: count },
    (_, i) =>
      `{"input": "Pick ${i}: \\"10\\" or 9?", "target_scores": {"10": ${i % 2}, "9": ${(i + 1) % 2}, "word": 0}}`,
  ).join(', ');
}

const textTask = {
  name: 'repeat',
  description: 'invented',
  keywords: [],
  metrics: ['exact_str_match', 'rouge', 'unheard_of'],
  stop_string: '.',
  examples: Array.from({ length: 60 }, (_, i) => ({
    input: `Repeat running runners ${i}`,
    target: i % 2 === 0 ? [`run ${i}`, `runner ${i}`] : `running ${i}`,
  })),
};

/** Problems of a split by their file: two subjects, each level, with answers in all the ways that rules are about. */
function mathProblems(split: string, count: number): Record<string, string> {
  const answers = [
    '\\frac12',
    '3 \\text{ km}',
    '\\sqrt3',
    'x = 0.5',
    '1/2',
    '50\\%',
    '90^\\circ',
    '\\dfrac{7}{8}',
  ];
  const problem = (i: number) => ({
    problem: `${['é', 'Z', '🙂', 'a', '\uff21'][i % 5]} What is $${(i * 7919) % 101}$ in ${split}?`,
    level: `Level ${1 + (i % 3)}`,
    type: i % 4 === 0 ? 'Algebra' : 'Number Theory',
    solution: `We get $\\boxed{0}$, so\nit is $\\boxed{${answers[i % answers.length]}}$.`,
  });
  const folder = (i: number) => (i % 4 === 0 ? 'algebra' : 'number_theory');
  return Object.fromEntries(
    Array.from({ length: count }, (_, i) => [
      `MATH/${split}/${folder(i)}/${i}.json`,
      JSON.stringify(problem(i)),
    ]),
  );
}

/** Fills a folder as HELM's `<output-path>/scenarios` is filled. */
export async function writeInventedData(data: string): Promise<void> {
  const files: Record<string, string> = {
    'mmlu/data/dev/sky_lamps_dev.csv': mmlu('dev', 5),
    'mmlu/data/val/sky_lamps_val.csv': mmlu('val', 7),
    'mmlu/data/test/sky_lamps_test.csv': mmlu('test', 23),
    'gsm/gsm_data_train': gsm(40),
    'gsm/gsm_data_test': gsm(25),
    'truthful_qa/data/TruthfulQA.csv': truthfulQa(47),
    ...mathProblems('train', 60),
    ...mathProblems('test', 48),
    'big_bench/snarks/task.json': JSON.stringify(choiceTask).replace(
      /}$/,
      `, "examples": [${choiceExamples(50)}]}`,
    ),
    'big_bench/repeat/deep/task.json': JSON.stringify(textTask),
  };
  for (const category of bbqCategories) files[`bbq/data/${category}`] = bbq(category, 110);
  for (const [path, content] of Object.entries(files)) {
    const file = join(data, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content);
  }
}
