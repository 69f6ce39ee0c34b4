import { strip } from '../python/text.ts';
import type { AnsweredState } from './generation.ts';
import { rouge } from './rouge.ts';
import { Stat } from './stat.ts';

function withoutBraces(text: string): string {
  return text.replace(/^\{/, '').replace(/\}$/, '');
}

/** ROUGE of a summary, the best over the references: what HELM's SummarizationMetric computes without its models. */
export function summaryStats({ instance, completion }: AnsweredState): Stat[] {
  const summary = withoutBraces(strip(completion.text));
  const scores = instance.references.map(({ output }) => rouge(withoutBraces(output.text), summary));
  return (['rouge_1', 'rouge_2', 'rouge_l'] as const).map((name) =>
    new Stat({ name }).add(Math.max(...scores.map((score) => score[name]()))),
  );
}
