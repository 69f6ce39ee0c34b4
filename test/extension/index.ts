// Runs the extension tests inside the extension host: VS Code calls `run` when the window stands.
import { readdir, writeFile } from 'node:fs/promises';
import Mocha from 'mocha';

/** Marks the lines that are meant for the person who runs the tests among all that a window logs. */
const say = (line: string) => console.log(`[test] ${line}`);

/** Prints every result as it comes, failures with their stack, in the manner of node:test's reporter. */
class Report extends Mocha.reporters.Base {
  constructor(runner: Mocha.Runner, options?: Mocha.MochaOptions) {
    super(runner, options);
    runner.on('pass', (test) => say(`✔ ${test.fullTitle()} (${test.duration ?? 0}ms)`));
    runner.on('pending', (test) => say(`﹣ ${test.fullTitle()} # SKIP`));
    runner.on('fail', (test, error: Error) => {
      say(`✖ ${test.fullTitle()}`);
      for (const line of (error.stack ?? String(error)).split('\n')) say(`    ${line}`);
    });
  }
}

export async function run(): Promise<void> {
  // Stack traces then name the lines of the TypeScript sources.
  process.setSourceMapsEnabled(true);
  const { SUBMISSION_STUDIO_RESULTS: results, SUBMISSION_STUDIO_GREP: grep } = process.env;
  const mocha = new Mocha({
    ui: 'bdd',
    timeout: 120_000,
    reporter: Report,
    ...(grep === undefined ? {} : { grep: new RegExp(grep) }),
  });
  mocha.suite.emit('pre-require', globalThis, '', mocha);
  const here = new URL('./', import.meta.url);
  const files = (await readdir(here)).filter((name) => name.endsWith('.test.js')).sort();
  for (const name of files) {
    try {
      await import(new URL(name, here).href);
    } catch (error) {
      say(`✖ ${name} cannot be loaded`);
      say(error instanceof Error ? (error.stack ?? error.message) : String(error));
      throw error;
    }
  }
  await new Promise<void>((resolve, reject) => {
    const runner = mocha.run(async (failed) => {
      const { passes = 0, pending = 0 } = runner.stats ?? {};
      const counts = { passed: passes, failed, skipped: pending };
      if (results !== undefined) await writeFile(results, JSON.stringify(counts));
      if (failed > 0) reject(new Error(`${failed} extension tests failed`));
      else resolve();
    });
  });
}
