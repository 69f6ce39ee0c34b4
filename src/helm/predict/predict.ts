import { throwIfCancelled, UserError, type WorkOptions, writeFileAtomic } from '../../base/index.ts';
import { plainRouge } from '../metrics/rouge.ts';
import { type KitRow, readKitRows } from './rows.ts';

export const kitScorings = ['kit', 'loglikelihood', 'loglikelihood_norm'] as const;

/**
 * How choices are compared: as the kit's decoder code does, without the first token of each choice but with the end
 * of text behind it; by the log-probability of the whole choice; or by that for each of its bytes.
 */
export type KitScoring = (typeof kitScorings)[number];

/** Natural logarithms for one choice after the input. */
export interface ChoiceLogprobs {
  readonly tokens: readonly number[];
  /** Of the end of text behind the choice; absent where it cannot be known. */
  readonly end?: number;
}

/** What answers the rows: a model, or an endpoint. */
export interface AnswerSource {
  readonly scorings: readonly KitScoring[];
  choices(
    input: string,
    choices: readonly string[],
    signal: AbortSignal | undefined,
  ): Promise<readonly ChoiceLogprobs[]>;
  /** Greedy, without the input. */
  generate(input: string, maxTokens: number, signal: AbortSignal | undefined): Promise<string>;
}

export interface PredictOptions extends WorkOptions {
  readonly scoring: KitScoring;
  /** The kit's `max_gen_len`. */
  readonly maxGenLen: number;
}

export interface Prediction {
  readonly rows: number;
  /**
   * Accuracy by the scoring asked for and by each other; ROUGE of generated rows; `average`, the mean of accuracy and
   * rougeL times 100. Absent where no row has a target of that kind.
   */
  readonly metrics: Readonly<Record<string, number>>;
}

function scoreOf(scoring: KitScoring, { tokens, end }: ChoiceLogprobs, choice: string): number {
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  if (scoring === 'loglikelihood') return sum(tokens);
  if (scoring === 'loglikelihood_norm') return sum(tokens) / Math.max(1, Buffer.byteLength(choice));
  // Logits and ids are shifted inside the choice, so that nothing predicts its first token.
  return sum([...tokens, end ?? Number.NaN].slice(1));
}

/** The choice that each scoring takes; of equal ones the first. */
function chosen(row: KitRow, logprobs: readonly ChoiceLogprobs[], scoring: KitScoring): number {
  const scores = row.choices.map((choice, i) => scoreOf(scoring, logprobs[i] ?? { tokens: [] }, choice));
  return scores.indexOf(Math.max(...scores));
}

class Mean {
  private sum = 0;
  private count = 0;

  add(value: number): void {
    this.sum += value;
    this.count++;
  }

  get value(): number {
    return this.sum / this.count;
  }
}

class Means {
  private readonly means = new Map<string, Mean>();

  add(name: string, value: number): void {
    const mean = this.means.get(name) ?? new Mean();
    mean.add(value);
    this.means.set(name, mean);
  }

  values(): Record<string, number> {
    return Object.fromEntries([...this.means].map(([name, { value }]) => [name, value]));
  }
}

/**
 * The merging kit's evaluation: answers every row of its data sets, one after the other, and writes the predictions as
 * the kit does (`id,prediction,dummy_field`), which is what its competition takes.
 * @throws UserError for unusable rows, or a scoring that the source cannot give, before anything is asked
 */
export async function predict(
  files: readonly string[],
  out: string,
  source: AnswerSource,
  { scoring, maxGenLen, signal, onProgress }: PredictOptions,
): Promise<Prediction> {
  const rows = (await Promise.all(files.map(readKitRows))).flat();
  if (!source.scorings.includes(scoring) && rows.some(({ choices }) => choices.length > 0)) {
    throw new UserError(
      `The scoring ${scoring} needs the probability of the end of text, which no endpoint tells`,
      {
        place: { field: '--scoring' },
        remedy: `Give the checkpoint itself, or --scoring ${source.scorings.join(' or ')}.`,
      },
    );
  }
  const means = new Means();
  const lines = ['id,prediction,dummy_field'];
  for (const [index, row] of rows.entries()) {
    throwIfCancelled(signal, 'Predicting');
    onProgress?.({ done: index, total: rows.length, unit: 'rows' });
    const answering =
      row.choices.length > 0
        ? choose(row, source, scoring, means, signal)
        : write(row, source, maxGenLen, means, signal);
    const answer = await answering.catch((error: unknown) => {
      throw placed(error, row);
    });
    lines.push([row.id, answer, '0'].map(csvField).join(','));
  }
  await writeFileAtomic(out, `${lines.join('\n')}\n`);
  const metrics = means.values();
  const { accuracy, rougeL } = metrics;
  const average =
    accuracy === undefined || rougeL === undefined ? {} : { average: ((accuracy + rougeL) / 2) * 100 };
  return { rows: rows.length, metrics: { ...metrics, ...average } };
}

/** An error about what a row asks, such as one that is too long for the model, is told with the row. */
function placed(error: unknown, { place }: KitRow): unknown {
  if (!(error instanceof UserError) || Object.keys(error.place).length > 0 || error.kind === 'cancelled')
    return error;
  const { message, kind, remedy } = error;
  return new UserError(message, { kind, place, ...(remedy === undefined ? {} : { remedy }), cause: error });
}

async function choose(
  row: KitRow,
  source: AnswerSource,
  scoring: KitScoring,
  means: Means,
  signal: AbortSignal | undefined,
): Promise<string> {
  const logprobs = await source.choices(row.input, row.choices, signal);
  const answer = chosen(row, logprobs, scoring);
  if (row.target !== undefined) {
    means.add('accuracy', answer === row.target ? 1 : 0);
    for (const other of source.scorings)
      means.add(`accuracy_${other}`, chosen(row, logprobs, other) === row.target ? 1 : 0);
  }
  return String(answer);
}

async function write(
  row: KitRow,
  source: AnswerSource,
  maxGenLen: number,
  means: Means,
  signal: AbortSignal | undefined,
): Promise<string> {
  const text = await source.generate(row.input, maxGenLen, signal);
  if (row.target !== undefined) {
    const scores = plainRouge(String(row.target), text);
    means.add('rouge1', scores.rouge_1());
    means.add('rouge2', scores.rouge_2());
    means.add('rougeL', scores.rouge_l());
    means.add('rougeLsum', scores.rouge_lsum());
  }
  return text;
}

function csvField(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
