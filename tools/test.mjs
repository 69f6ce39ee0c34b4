// Runs the test suites, installing first what is missing.
//   npm test [-- SUITE… FILE… --grep PATTERN]
// A suite that needs something this machine cannot have is skipped by name; with CI=true that is a failure.
import { ensureBuilt } from './bootstrap/build.mjs';
import { commandArguments } from './bootstrap/shell.mjs';
import { ensure, need } from './bootstrap.mjs';
import { environment, suites, testFiles } from './suites/suites.mjs';

const { values, positionals } = commandArguments({
  options: { grep: { type: 'string' } },
  allowPositionals: true,
});
const chosenFiles = positionals
  .filter((name) => name.endsWith('.ts'))
  .map((name) => name.replace(/^\.\//, ''));
const chosenSuites = positionals.filter((name) => !name.endsWith('.ts'));
const suiteOf = (file) => /^test\/([^/]+)\//.exec(file)?.[1];

const unknown = [
  ...chosenSuites.filter((name) => !(name in suites)),
  ...chosenFiles.filter((file) => !((suiteOf(file) ?? '') in suites)),
];
if (unknown.length > 0) {
  console.error(
    `no such suite or test file: ${unknown.join(', ')}; suites: ${Object.keys(suites).join(', ')}`,
  );
  process.exit(2);
}

/** Names of the suites to run: those named, those of named files, else all. */
function selection() {
  if (positionals.length === 0) return Object.keys(suites);
  const named = new Set([...chosenSuites, ...chosenFiles.map(suiteOf)]);
  return Object.keys(suites).filter((name) => named.has(name));
}

/** Runs one suite; undefined when it has no tests (yet). */
async function runSuite(name) {
  const suite = suites[name];
  const own = chosenFiles.filter((file) => suiteOf(file) === name);
  const files = own.length > 0 ? own : await testFiles(name);
  if (name !== 'check' && files.length === 0) return undefined;
  console.log(`\n━━ ${name} ━━`);
  const paths = {};
  for (const component of suite.needs) {
    const result = await ensure(component);
    if (!result.ok) return skip(result.reason);
    paths[component] = result.path;
  }
  const built = suite.build === 'no' || (await ensureBuilt());
  if (!built && suite.build === 'all') return { passed: 0, failed: 1, skipped: 0, note: 'the build failed' };
  const result = await suite.run({ files, grep: values.grep, env: environment(paths) });
  return built ? result : { ...result, failed: result.failed + 1, note: 'the build failed' };
}

function skip(reason) {
  const failed = process.env.CI === 'true' ? 1 : 0;
  const note = `skipped: ${reason}${failed ? ' (a failure, as CI=true)' : ''}`;
  return { passed: 0, failed, skipped: 1 - failed, note };
}

await need('node_modules');
const total = { passed: 0, failed: 0, skipped: 0 };
const lines = [];
for (const name of selection()) {
  const start = performance.now();
  const result = await runSuite(name).catch((error) => ({
    ...{ passed: 0, failed: 1, skipped: 0 },
    note: `the suite broke off: ${error.stack}`,
  }));
  if (result === undefined) {
    if (chosenSuites.includes(name)) lines.push(`${name.padEnd(10)} has no tests yet`);
    continue;
  }
  for (const key of Object.keys(total)) total[key] += result[key];
  const { passed, failed, skipped, note } = result;
  const seconds = ((performance.now() - start) / 1e3).toFixed(1);
  lines.push(
    `${name.padEnd(10)} ${passed} passed, ${failed} failed, ${skipped} skipped in ${seconds} s${note ? `: ${note}` : ''}`,
  );
}
console.log(`\n${lines.join('\n')}\n`);
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exitCode = total.failed > 0 ? 1 : 0;
