import { type AdapterSpec, isCorrect } from '../spec.ts';
import { type AnsweredState, requestStats } from './generation.ts';
import { Stat, StatMap } from './stat.ts';

/** Log-probability of the last tokens of an answer, which are the reference's. */
function referenceLogprob({ completion, referenceTokens = 0 }: AnsweredState): number {
  // As in Python, the last zero tokens are all of them.
  const { tokens } = completion;
  const last = referenceTokens === 0 ? tokens : tokens.slice(-referenceTokens);
  return last.reduce((sum, { logprob }) => sum + logprob, 0);
}

/**
 * Which reference the model finds most likely, where each was scored by a request of its own: by the mean
 * log-probability of its tokens, or by how much its question adds to it (HELM's BasicReferenceMetric).
 */
export function scoredReferenceStats(states: readonly AnsweredState[], adapter: AdapterSpec): Stat[] {
  const scored = states.filter((state) => state.reference_index !== undefined);
  const [first] = scored;
  if (!first) return [];
  const { references } = first.instance;
  const find = (index: number, mode: string) =>
    scored.find((state) => state.reference_index === index && state.request_mode === mode);
  const scores = references.map((_, index) => {
    const original = find(index, 'original');
    const calibration = find(index, 'calibration');
    if (!original) return Number.NaN;
    const logprob = referenceLogprob(original);
    return calibration ? logprob - referenceLogprob(calibration) : logprob / (original.referenceTokens ?? 0);
  });
  const best = Math.max(...scores);
  const chosen = scores.flatMap((score, index) => (score >= best ? [index] : []));
  const right = chosen.filter((index) => references[index] && isCorrect(references[index])).length;
  const general = new StatMap();
  for (const state of scored) for (const stat of requestStats(state, adapter)) general.merge(stat);
  // The largest share of a softmax over the scores.
  const total = scores.reduce((sum, score) => sum + Math.exp(score - best), 0);
  return [
    ...general.values(),
    new Stat({ name: 'max_prob' }).add(1 / total),
    new Stat({ name: 'exact_match' }).add(right / chosen.length),
    new Stat({ name: 'predicted_index' }).add(chosen[0]),
  ];
}
