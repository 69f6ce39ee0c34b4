import { porterStem } from './porter.ts';

/** Words of letters and digits, in lower case. */
function words(text: string): string[] {
  return text
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((token) => token !== '');
}

function stemmed(text: string): string[] {
  return words(text).map((token) => (token.length > 3 ? porterStem(token) : token));
}

function grams(text: readonly string[], size: number): Map<string, number> {
  const counts = new Map<string, number>();
  for (let i = 0; i + size <= text.length; i++) {
    const gram = text.slice(i, i + size).join(' ');
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
  const total = (text: readonly string[]) => Math.max(text.length - size + 1, 1);
  return fMeasure(common / total(prediction), common / total(gold));
}

/** Which items of `a` make up a longest subsequence that it has in common with `b`: the one that rouge-score takes. */
function commonSubsequence(a: readonly string[], b: readonly string[]): number[] {
  const width = b.length + 1;
  const lengths = new Uint32Array((a.length + 1) * width);
  const at = (i: number, j: number) => lengths[i * width + j] as number;
  for (let i = 1; i <= a.length; i++) {
    for (let j = 1; j <= b.length; j++) {
      lengths[i * width + j] =
        a[i - 1] === b[j - 1] ? at(i - 1, j - 1) + 1 : Math.max(at(i - 1, j), at(i, j - 1));
    }
  }
  const chosen: number[] = [];
  for (let i = a.length, j = b.length; i > 0 && j > 0; ) {
    if (a[i - 1] === b[j - 1]) {
      chosen.push(i - 1);
      i--;
      j--;
    } else if (at(i, j - 1) > at(i - 1, j)) j--;
    else i--;
  }
  return chosen;
}

function measures(golds: readonly string[], predictions: readonly string[]) {
  return {
    rouge_1: () => overlap(golds, predictions, 1),
    rouge_2: () => overlap(golds, predictions, 2),
    rouge_l: () => {
      if (golds.length === 0 || predictions.length === 0) return 0;
      const common = commonSubsequence(golds, predictions).length;
      return fMeasure(common / predictions.length, common / golds.length);
    },
  };
}

/** ROUGE F measures of a prediction, as the package rouge-score computes them with its stemmer. */
export function rouge(gold: string, prediction: string) {
  return measures(stemmed(gold), stemmed(prediction));
}

/** ROUGE F measures without stemming, as `evaluate` has them from rouge-score: Lsum takes each line for a sentence. */
export function plainRouge(gold: string, prediction: string) {
  const lines = (text: string) => text.split('\n').filter((line) => line !== '');
  return {
    ...measures(words(gold), words(prediction)),
    rouge_lsum: () => summaryOverlap(lines(gold).map(words), lines(prediction).map(words)),
  };
}

/** The union of the subsequences that each sentence has in common with those of the other (Lin 2004, section 3.2). */
function summaryOverlap(golds: readonly string[][], predictions: readonly string[][]): number {
  const goldLeft = grams(golds.flat(), 1);
  const predictionLeft = grams(predictions.flat(), 1);
  let hits = 0;
  for (const gold of golds) {
    const union = new Set(predictions.flatMap((prediction) => commonSubsequence(gold, prediction)));
    for (const index of [...union].sort((a, b) => a - b)) {
      const word = gold[index] as string;
      const left = [goldLeft, predictionLeft].map((counts) => counts.get(word) ?? 0);
      if (left.some((count) => count === 0)) continue;
      hits++;
      goldLeft.set(word, (left[0] as number) - 1);
      predictionLeft.set(word, (left[1] as number) - 1);
    }
  }
  if (hits === 0) return 0;
  return fMeasure(hits / predictions.flat().length, hits / golds.flat().length);
}
