// Composition root for the shell: the verbs, each over the same services as the editor.
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { exitCodes, mediaPath } from './base/index.ts';
import { demoVerb } from './cli/demo-verb.ts';
import { checkVerb, evalVerb, promptsVerb, scoresVerb } from './cli/helm-verbs.ts';
import { inspectVerb, mergeVerb, serveVerb } from './cli/model-verbs.ts';
import { doctorVerb, packVerb } from './cli/package-verbs.ts';
import { predictVerb } from './cli/predict-verb.ts';
import { runVerb } from './cli/run.ts';
import { detectVerb, initVerb, tracksVerb } from './cli/submission-verbs.ts';

const { version } = JSON.parse(readFileSync(mediaPath('../package.json'), 'utf8')) as { version: string };

const program = new Command('submission')
  .description(
    'The whole way of a submission to an LLM competition: scaffold, merge, serve, evaluate, check, pack.',
  )
  .version(version)
  .showHelpAfterError('(add --help for the usage)')
  .exitOverride();

const verbs = [
  initVerb,
  detectVerb,
  tracksVerb,
  inspectVerb,
  mergeVerb,
  serveVerb,
  checkVerb,
  promptsVerb,
  evalVerb,
  predictVerb,
  scoresVerb,
  doctorVerb,
  packVerb,
  demoVerb,
];
for (const add of verbs) add(program, runVerb);

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  // Commander has printed its own message; help that was asked for is no failure.
  process.exitCode = error.exitCode === 0 ? 0 : exitCodes.usage;
}
