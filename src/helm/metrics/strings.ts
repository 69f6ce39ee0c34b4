import { splitWords, strip } from '../python/text.ts';
import { mathEquiv, mathEquivChainOfThought } from './math.ts';
import { rouge } from './rouge.ts';

/** How well a prediction meets a reference; 0 to 1. Predictions come stripped, and empty where a letter maps to nothing. */
export type StringMetric = (gold: string, prediction: string) => number;

/** A letter, digit or underscore to Python's regular expressions: marks are none. */
const word = '[\\p{L}\\p{N}_]';
const articles = new RegExp(`(?<!${word})(?:a|an|the)(?!${word})`, 'gu');
const punctuation = /[!-/:-@[-`{-~]/g;

/** Lower case, without ASCII punctuation and (unless told) articles, single spaces. */
export function normalize(text: string, removeArticles = true): string {
  const bare = text.toLowerCase().replace(punctuation, '');
  return splitWords(removeArticles ? bare.replace(articles, ' ') : bare).join(' ');
}

const hit = (matches: boolean) => (matches ? 1 : 0);

const exactMatch: StringMetric = (gold, prediction) =>
  hit(prediction !== '' && strip(gold) === strip(prediction));

/** The last piece after splitting at single spaces. */
function lastPiece(text: string): string {
  return strip(text.slice(text.lastIndexOf(' ') + 1));
}

/** The last number of a text, without commas. The dot of HELM's expression stands for any character but a newline. */
function finalNumber(text: string): string {
  return (
    text
      .match(/-?[\p{Nd},]+(?:[^\n]\p{Nd}+)?/gu)
      ?.at(-1)
      ?.replaceAll(',', '') ?? ''
  );
}

function wordSet(text: string): Set<string> {
  return new Set(splitWords(normalize(text)));
}

function shared(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  let count = 0;
  for (const item of a) if (b.has(item)) count++;
  return count;
}

/** NLTK's balanced F measure over sets of words. */
const f1Score: StringMetric = (gold, prediction) => {
  const golds = wordSet(gold);
  const predictions = wordSet(prediction);
  const common = shared(golds, predictions);
  if (common === 0) return 0;
  return 1 / (0.5 / (common / predictions.size) + 0.5 / (common / golds.size));
};

/** The attributes that a sentence such as "The dog is red and big." ascribes. */
function attributeSet(sentence: string): Set<string> {
  if (sentence === 'Nothing.') return new Set();
  const claim = sentence.replaceAll('.', '').split(' is ').at(-1) ?? '';
  return new Set(claim.split(' and '));
}

function setMetric(score: (common: number, golds: number, predictions: number) => number): StringMetric {
  return (gold, prediction) => {
    const golds = attributeSet(gold);
    const predictions = attributeSet(prediction.split('\n')[0] ?? '');
    if (golds.size === 0) return hit(predictions.size === 0);
    return score(shared(golds, predictions), golds.size, predictions.size);
  };
}

/** HELM's string metrics by name. */
export const stringMetrics: Readonly<Record<string, StringMetric>> = {
  exact_match: exactMatch,
  quasi_exact_match: (gold, prediction) =>
    hit(prediction !== '' && normalize(gold) === normalize(prediction)),
  quasi_leave_articles_exact_match: (gold, prediction) =>
    hit(prediction !== '' && normalize(gold, false) === normalize(prediction, false)),
  prefix_exact_match: (gold, prediction) =>
    hit(prediction !== '' && strip(prediction).startsWith(strip(gold))),
  quasi_prefix_exact_match: (gold, prediction) =>
    hit(prediction !== '' && normalize(prediction).startsWith(normalize(gold))),
  exact_match_indicator: (gold, prediction) => exactMatch(lastPiece(gold), lastPiece(prediction)),
  final_number_exact_match: (gold, prediction) => exactMatch(finalNumber(gold), finalNumber(prediction)),
  f1_score: f1Score,
  f1_set_match: setMetric((common, golds, predictions) => (2 * common) / (golds + predictions)),
  iou_set_match: setMetric((common, golds, predictions) => common / (golds + predictions - common)),
  exact_set_match: setMetric((common, golds, predictions) => hit(common === golds && golds === predictions)),
  math_equiv: mathEquiv,
  math_equiv_chain_of_thought: mathEquivChainOfThought,
  rouge_1: (gold, prediction) => rouge(gold, prediction).rouge_1(),
  rouge_2: (gold, prediction) => rouge(gold, prediction).rouge_2(),
  rouge_l: (gold, prediction) => rouge(gold, prediction).rouge_l(),
};
