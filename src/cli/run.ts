import { describeError, errorDetails, exitCodes, failureKind } from '../base/index.ts';
import { ProgressBar } from './progress-bar.ts';
import type { RunVerb } from './verb.ts';

/** After a second signal nobody waits for a tidy end any more. */
function abortOnSignals(): AbortController {
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (controller.signal.aborted) process.exit(exitCodes.cancelled);
      controller.abort();
    });
  }
  // A parent that started us with a channel (the editor) takes us along when it goes.
  process.on('disconnect', () => controller.abort());
  return controller;
}

/** Writes it all before the process may end: stdout can be a pipe that takes its time. */
function print(text: string): Promise<void> {
  return new Promise((resolve) => process.stdout.write(`${text}\n`, () => resolve()));
}

/** The one way in which verbs run: result on stdout, progress and failures on stderr, exit code by kind. */
export const runVerb: RunVerb = async (options, work) => {
  const bar = new ProgressBar(process.stderr);
  const controller = abortOnSignals();
  const note = (message: string) => {
    bar.clear();
    process.stderr.write(`${message}\n`);
  };
  try {
    const outcome = await work({
      signal: controller.signal,
      onProgress: bar.report,
      note,
      say: (message) => {
        bar.clear();
        process.stdout.write(`${message}\n`);
      },
    });
    bar.clear();
    if (options.json) await print(JSON.stringify(outcome.json, null, 2));
    else if (outcome.text) await print(outcome.text);
    process.exitCode = outcome.fit === false ? 1 : 0;
  } catch (error) {
    note(describeError(error));
    if (process.env.SUBMISSION_STUDIO_DEBUG) note(errorDetails(error));
    process.exitCode = exitCodes[controller.signal.aborted ? 'cancelled' : failureKind(error)];
  }
  // Keep-alive sockets or a stuck child must not hold a finished command open.
  process.exit();
};
