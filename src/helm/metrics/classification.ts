import { isCorrect } from '../spec.ts';
import type { AnsweredState } from './generation.ts';
import { Stat } from './stat.ts';
import { normalize } from './strings.ts';

function f1(truePositive: number, falsePositive: number, falseNegative: number): number {
  const total = 2 * truePositive + falsePositive + falseNegative;
  return total === 0 ? 0 : (2 * truePositive) / total;
}

/**
 * F1 of the answers as classes, over the classes that occur as references (HELM's ClassificationMetric, scikit-learn's
 * averages). An answer that is no class counts against the right one only.
 */
export class ClassificationScores {
  private readonly pairs: { readonly gold: readonly string[]; readonly answer: readonly string[] }[] = [];

  add({ instance, completion }: AnsweredState): void {
    const label = (text: string) => (text === '' ? [] : [normalize(text, false)]);
    this.pairs.push({
      gold: instance.references.filter(isCorrect).flatMap(({ output }) => label(output.text)),
      answer: label(completion.text),
    });
  }

  stats(): Stat[] {
    const classes = [...new Set(this.pairs.flatMap(({ gold }) => gold))];
    const counts = classes.map((name) => {
      const counted = { truePositive: 0, falsePositive: 0, falseNegative: 0 };
      for (const { gold, answer } of this.pairs) {
        if (gold.includes(name) && answer.includes(name)) counted.truePositive++;
        else if (answer.includes(name)) counted.falsePositive++;
        else if (gold.includes(name)) counted.falseNegative++;
      }
      return counted;
    });
    const sum = (key: 'truePositive' | 'falsePositive' | 'falseNegative') =>
      counts.reduce((total, count) => total + count[key], 0);
    const macro =
      counts.reduce((total, { truePositive, falsePositive, falseNegative }) => {
        return total + f1(truePositive, falsePositive, falseNegative);
      }, 0) / Math.max(counts.length, 1);
    const micro = f1(sum('truePositive'), sum('falsePositive'), sum('falseNegative'));
    return [
      new Stat({ name: 'classification_macro_f1' }).add(macro),
      new Stat({ name: 'classification_micro_f1' }).add(micro),
    ];
  }
}
