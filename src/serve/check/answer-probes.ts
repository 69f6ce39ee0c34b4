import { type Probe, quoted } from './probe.ts';
import { Broken, type Path, type Timing } from './session.ts';

/** Rounding may leave a little more than 0. */
function isLogprob(value: number): boolean {
  return Number.isFinite(value) && value <= 1e-6;
}

const logprobs: Probe = {
  id: 'logprobs',
  title: 'Log-probabilities are finite, at most 0, and add up to logprob',
  run: async ({ completions }) => {
    if (completions.length === 0) throw new Broken('/process gave no answer to look at');
    let count = 0;
    for (const { echo, completion } of completions) {
      const wrong = completion.tokens.find(({ logprob }) => !isLogprob(logprob));
      if (wrong) throw new Broken(`the token ${quoted(wrong.text)} has the logprob ${wrong.logprob}`);
      if (!isLogprob(completion.logprob)) throw new Broken(`logprob is ${completion.logprob}`);
      const sum = completion.tokens.reduce((total, { logprob }) => total + logprob, 0);
      count += completion.tokens.length;
      // With the prompt in it, a sum over the completion alone is right as well.
      const off = Math.abs(sum - completion.logprob);
      if (echo ? completion.logprob < sum - 0.01 : off > 0.01 + 1e-3 * Math.abs(sum)) {
        throw new Broken(`logprob is ${completion.logprob}, the tokens add up to ${sum}`);
      }
    }
    if (count === 0) throw new Broken('no answer had a token');
    return `${count} tokens in ${completions.length} answers`;
  },
};

const topLogprob: Probe = {
  id: 'top-logprob',
  title: 'top_logprob, where there is one, holds log-probabilities',
  run: async ({ completions }) => {
    const reported = completions
      .flatMap(({ completion }) => completion.tokens)
      .map((token) => token.top_logprob);
    const candidates = reported.filter((top) => top !== undefined);
    for (const top of candidates) {
      const wrong = Object.entries(top).find(([, logprob]) => !isLogprob(logprob));
      if (wrong) throw new Broken(`the candidate ${quoted(wrong[0])} has ${wrong[1]}`);
    }
    return candidates.length === 0
      ? 'none reported; only HELM before February 2024 needs it'
      : `${candidates.length} tokens have it`;
  },
};

/** How often a request is sent until its time counts as wrong. */
const requestTimeTries = 3;

function requestTime(path: Path): Probe {
  return {
    id: `request-time-${path.slice(1)}`,
    title: `request_time of ${path} is the time in seconds that the request took`,
    run: async (session) => {
      const seen = session.timings[path];
      if (seen.length === 0) throw new Broken(`${path} gave no answer to look at`);
      const wrong = ({ requestTime: claimed, seconds }: Timing) =>
        !(claimed >= 0 && claimed <= seconds + 0.05 && claimed >= 0.8 * seconds - 0.25);
      for (const first of seen) {
        let timing = first;
        // A busy machine can keep an answer back on its way; a wrong clock is wrong each time.
        for (let tries = 1; wrong(timing) && tries < requestTimeTries; tries++) {
          timing = await session.again(path, first);
        }
        if (wrong(timing)) {
          throw new Broken(
            `request_time is ${timing.requestTime}, the request took ${timing.seconds.toFixed(3)} s`,
          );
        }
      }
      return `${seen.length} requests`;
    },
  };
}

/** What looks at all answers of the probes before. */
export const answerProbes: readonly Probe[] = [
  logprobs,
  topLogprob,
  requestTime('/process'),
  requestTime('/tokenize'),
  requestTime('/decode'),
];
