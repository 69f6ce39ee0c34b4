import { Stat } from './stat.ts';

/** How sure the model was of an answer, and whether it was right. */
export interface Confidence {
  readonly confidence: number;
  readonly correct: 0 | 1;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Distance between confidence and accuracy of a group of answers. */
function gap(group: readonly Confidence[]): number {
  return Math.abs(
    mean(group.map(({ confidence }) => confidence)) - mean(group.map(({ correct }) => correct)),
  );
}

/** Upper edges of bins that hold about equally many answers (numpy's array_split). */
function equalBins(sorted: readonly number[], count: number): number[] {
  const bins = Math.min(count, sorted.length);
  const size = Math.floor(sorted.length / bins);
  const larger = sorted.length % bins;
  const edges: number[] = [];
  for (let bin = 0, end = 0; bin < bins - 1; bin++) {
    end += size + (bin < larger ? 1 : 0);
    edges.push(((sorted[end - 1] as number) + (sorted[end] as number)) / 2);
  }
  return [...new Set([...edges, 1])].sort((a, b) => a - b);
}

/** Expected calibration error over ten bins of equal size. */
function tenBinError(answers: readonly Confidence[]): number {
  const sorted = answers.map(({ confidence }) => confidence).sort((a, b) => a - b);
  const edges = equalBins(sorted, 10);
  const groups = edges.map((): Confidence[] => []);
  for (const answer of answers) {
    const bin = edges.findIndex((edge) => edge >= answer.confidence);
    // A confidence above 1 (a positive log-probability) belongs to no bin: the last takes it.
    groups[bin < 0 ? edges.length - 1 : bin]?.push(answer);
  }
  return groups
    .filter((group) => group.length > 0)
    .reduce((sum, group) => sum + (group.length / answers.length) * gap(group), 0);
}

/** Running accuracies from the surest answer to the least sure. */
function runningAccuracies(answers: readonly Confidence[]): number[] {
  let right = 0;
  return answers
    .toSorted((a, b) => b.confidence - a.confidence)
    .map(({ correct }, index) => {
      right += correct;
      return right / (index + 1);
    });
}

/**
 * Calibration of the answers of one context (package uncertainty-calibration), but for Platt scaling, whose last digits
 * are its optimizer's.
 */
export function calibrationStats(answers: readonly Confidence[]): Stat[] {
  if (answers.length === 0) return [];
  const accuracies = runningAccuracies(answers);
  const right = answers.reduce((sum, { correct }) => sum + correct, 0);
  const stat = (name: string, value: number | undefined) => new Stat({ name }).add(value);
  return [
    stat('ece_10_bin', tenBinError(answers)),
    stat('ece_1_bin', gap(answers)),
    stat('selective_cov_acc_area', mean(accuracies)),
    stat('selective_acc@10', accuracies[Math.floor(0.1 * answers.length)]),
    // With only right or only wrong answers there is nothing to fit, and HELM takes both errors to be zero.
    ...(right === 0 || right === answers.length
      ? [stat('platt_ece_10_bin', 0), stat('platt_ece_1_bin', 0)]
      : []),
  ];
}
