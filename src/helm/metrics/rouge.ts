import { porterStem } from './porter.ts';

/** Words of letters and digits, in lower case, stemmed where longer than three letters. */
function tokens(text: string): string[] {
  return text
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((token) => token !== '')
    .map((token) => (token.length > 3 ? porterStem(token) : token));
}

function grams(words: readonly string[], size: number): Map<string, number> {
  const counts = new Map<string, number>();
  for (let i = 0; i + size <= words.length; i++) {
    const gram = words.slice(i, i + size).join(' ');
    counts.set(gram, (counts.get(gram) ?? 0) + 1);
  }
  return counts;
}

function fMeasure(precision: number, recall: number): number {
  return precision + recall > 0 ? (2 * precision * recall) / (precision + recall) : 0;
}

function overlap(gold: readonly string[], prediction: readonly string[], size: number): number {
  const golds = grams(gold, size);
  const predictions = grams(prediction, size);
  let common = 0;
  for (const [gram, count] of golds) common += Math.min(count, predictions.get(gram) ?? 0);
  const total = (words: readonly string[]) => Math.max(words.length - size + 1, 1);
  return fMeasure(common / total(prediction), common / total(gold));
}

/** Length of the longest common subsequence. */
function commonSubsequence(a: readonly string[], b: readonly string[]): number {
  let row = new Uint32Array(b.length + 1);
  for (const item of a) {
    const next = new Uint32Array(b.length + 1);
    for (let j = 1; j <= b.length; j++) {
      const longest = Math.max(row[j] as number, next[j - 1] as number);
      next[j] = item === b[j - 1] ? (row[j - 1] as number) + 1 : longest;
    }
    row = next;
  }
  return row[b.length] as number;
}

/** ROUGE F measures of a prediction, as the package rouge-score computes them with its stemmer. */
export function rouge(gold: string, prediction: string) {
  const golds = tokens(gold);
  const predictions = tokens(prediction);
  return {
    rouge_1: () => overlap(golds, predictions, 1),
    rouge_2: () => overlap(golds, predictions, 2),
    rouge_l: () => {
      if (golds.length === 0 || predictions.length === 0) return 0;
      const common = commonSubsequence(golds, predictions);
      return fMeasure(common / predictions.length, common / golds.length);
    },
  };
}
