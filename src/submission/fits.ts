import { formatBytes } from '../base/index.ts';
import type { Inspection } from '../checkpoint/index.ts';
import type { Track } from './track-schema.ts';

/** Whether a checkpoint keeps a track's limits; `why` names the limit that it breaks, with its source. */
export interface TrackFit {
  readonly id: string;
  readonly fits: boolean;
  readonly why?: string;
}

/** A resized vocabulary changes the count of an accepted model a little. */
const vocabularySlack = 0.005;

const billions = (count: number) => `${(count / 1e9).toPrecision(3)}B`;

function parameterProblem({ parameters }: Inspection, limit: Track['limits']['parameters']) {
  if (limit === undefined || parameters <= limit.value) return undefined;
  const accepted = limit.accepted?.some(
    (model) => Math.abs(parameters / model.parameters - 1) <= vocabularySlack,
  );
  if (accepted) return undefined;
  return `${billions(parameters)} parameters, more than ${billions(limit.value)} (${limit.source})`;
}

function contextProblem({ contextTokens }: Inspection, limit: Track['limits']['contextTokens']) {
  if (limit === undefined || contextTokens === null || contextTokens >= limit.value) return undefined;
  return `a context of ${contextTokens} tokens, while prompt and completion take up to ${limit.value} (${limit.source})`;
}

/** Weights can be loaded in 4 bits: only what is too large even then cannot fit. */
function memoryProblem({ parameters }: Inspection, limit: Track['limits']['gpuMemoryBytes']) {
  if (limit === undefined || parameters / 2 <= limit.value) return undefined;
  return `${formatBytes(parameters / 2)} of weights even in 4 bits, more than ${formatBytes(limit.value)} of GPU memory (${limit.source})`;
}

/** Compares what a checkpoint's files say with a track's limits. Nothing is loaded. */
export function checkpointFits(inspection: Inspection, track: Track): TrackFit {
  // An adapter's base decides parameters and context; the adapter alone always fits.
  if (inspection.adapter) return { id: track.id, fits: true };
  const { parameters, contextTokens, gpuMemoryBytes } = track.limits;
  const problems = [
    parameterProblem(inspection, parameters),
    contextProblem(inspection, contextTokens),
    memoryProblem(inspection, gpuMemoryBytes),
  ].filter((problem) => problem !== undefined);
  return {
    id: track.id,
    fits: problems.length === 0,
    ...(problems.length > 0 ? { why: problems.join('; ') } : {}),
  };
}
