// How long a whole evaluation takes against helm-run, what a request costs, and what large and many runs cost. Prints
// Markdown.
//   node test/bench/helm.bench.ts [INSTANCES]
// It needs dist/cli.js. With SUBMISSION_STUDIO_PEERS (a Python with crfm-helm) helm-run is measured on the same entries
// against the same server. Peak memory is read from /proc, where there is one.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { mediaPath } from '../../src/base/index.ts';
import { readScores } from '../../src/helm/index.ts';
import { startCannedServer } from '../unit/helm/canned-server.ts';

const python = process.env.SUBMISSION_STUDIO_PEERS;
const cli = mediaPath('../dist/cli.js');
const manyInstances = Number(process.argv[2] ?? 100_000);
const manyRuns = 100;

/** 400 requests. */
const conf = `entries: [
  { description: "synthetic_reasoning_natural:difficulty=easy,model=neurips/local,max_eval_instances=100" }
  { description: "synthetic_reasoning_natural:difficulty=hard,model=neurips/local,max_eval_instances=100" }
  { description: "synthetic_reasoning:mode=pattern_match,model=neurips/local,max_eval_instances=100" }
  { description: "dyck_language:num_parenthesis_pairs=2,model=neurips/local,max_eval_instances=100" }
]`;

interface Measured {
  readonly seconds: number;
  /** Peak memory in MiB; undefined where the system does not tell. */
  readonly peak: number | undefined;
  /** Seconds of processor time; undefined where the system does not tell. */
  readonly processor: number | undefined;
}

/** Linux counts processor time in hundredths of a second. */
const ticks = 100;

/** The largest memory (MiB) and the processor time so far, of a process that runs. */
async function usageOf({ pid }: ChildProcess): Promise<Pick<Measured, 'peak' | 'processor'> | undefined> {
  const read = (name: string) => readFile(`/proc/${pid}/${name}`, 'utf8').catch(() => '');
  const [status, stat] = await Promise.all([read('status'), read('stat')]);
  const kilobytes = /VmHWM:\s*(\d+)/.exec(status)?.[1];
  if (kilobytes === undefined) return undefined;
  const [user = '', system = ''] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13);
  return { peak: Number(kilobytes) / 1024, processor: (Number(user) + Number(system)) / ticks };
}

async function measure(program: string, args: readonly string[], cwd: string): Promise<Measured> {
  const started = performance.now();
  const child = spawn(program, args, {
    cwd,
    env: { ...process.env, HELM_HTTP_MODEL_BASE_URL: server.url, HELM_RETRIES: '1', HF_HUB_OFFLINE: '1' },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr.on('data', (data: Buffer) => {
    stderr = `${stderr}${data}`.slice(-2000);
  });
  let usage: Awaited<ReturnType<typeof usageOf>>;
  const timer = setInterval(async () => {
    usage = (await usageOf(child)) ?? usage;
  }, 50);
  const [code] = (await once(child, 'close')) as [number | null];
  clearInterval(timer);
  if (code !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${code}:\n${stderr}`);
  const { peak, processor } = usage ?? { peak: undefined, processor: undefined };
  return { seconds: (performance.now() - started) / 1000, peak, processor };
}

function evaluation(file: string, out: string, cwd: string): Promise<Measured> {
  return measure(process.execPath, [cli, 'eval', server.url, '--conf', file, '--out', out, '--json'], cwd);
}

/** A user's own questions, one a line. */
async function writeQuestions(file: string, count: number): Promise<void> {
  const line = (i: number) =>
    JSON.stringify({
      input: { text: `Question ${i}: which of the lamps is lit?` },
      references: ['first', 'second', 'third', 'fourth'].map((text, at) => ({
        output: { text: `the ${text} of ${i}` },
        tags: at === i % 4 ? ['correct'] : [],
      })),
      split: 'test',
      id: `q${i}`,
    });
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, Array.from({ length: count }, (_, i) => `${line(i)}\n`).join(''));
}

/** Copies of a run directory, each by another submission. */
async function writeRuns(from: string, out: string, count: number): Promise<void> {
  const spec = await readFile(join(from, 'run_spec.json'), 'utf8');
  for (let i = 0; i < count; i++) {
    const to = join(out, 'runs/many', `copy:model=neurips_team${i}`);
    await cp(from, to, { recursive: true });
    await writeFile(
      join(to, 'run_spec.json'),
      spec.replaceAll('neurips_local', `neurips_team${i}`).replaceAll('neurips/local', `neurips/team${i}`),
    );
  }
}

const server = await startCannedServer();
const folder = await mkdtemp(join(tmpdir(), 'helm-bench-'));
try {
  const file = join(folder, 'entries.conf');
  await writeFile(file, conf);
  const ours = await evaluation(file, 'ours', folder);
  const requests = server.requests['/process'].length;
  console.log('| whole command | requests | seconds |\n| --- | ---: | ---: |');
  console.log(`| submission eval | ${requests} | ${ours.seconds.toFixed(2)} |`);
  if (python) {
    const program = join(dirname(python), 'helm-run');
    const theirs = await measure(
      program,
      ['-c', file, '--suite', 'bench', '-m', '100', '-o', 'theirs'],
      folder,
    );
    console.log(`| helm-run | ${requests} | ${theirs.seconds.toFixed(2)} |`);
    console.log(`\nRatio: ${(theirs.seconds / ours.seconds).toFixed(1)} (wanted: at least 10)`);
  }
  const [run] = (await readdir(join(folder, 'ours/runs/entries'))).filter((name) => name.includes(':'));
  await writeRuns(join(folder, 'ours/runs/entries', run ?? ''), join(folder, 'many'), manyRuns);
  const started = performance.now();
  const { rows } = await readScores(join(folder, 'many'));
  const loading = performance.now() - started;
  console.log(`\nLoading ${rows.length} runs for the scores: ${loading.toFixed(0)} ms (wanted: under 1000)`);

  await writeQuestions(join(folder, 'large/scenarios/custom_mcqa/questions.jsonl'), manyInstances);
  const large = join(folder, 'large.conf');
  await writeFile(
    large,
    'entries: [{description: "custom_mcqa:path=questions.jsonl,num_train_instances=0,model=neurips/local"}]',
  );
  const written = await evaluation(large, 'large', folder);
  const opened = await measure(process.execPath, [cli, 'scores', '--out', 'large'], folder);
  const mebibytes = (peak: number | undefined) => (peak === undefined ? 'not known' : peak.toFixed(0));
  console.log(
    `\n| ${manyInstances} instances | seconds | peak RSS, MiB (wanted: at most 512) |\n| --- | ---: | ---: |`,
  );
  console.log(`| evaluating and writing | ${written.seconds.toFixed(1)} | ${mebibytes(written.peak)} |`);
  console.log(`| opening for the scores | ${opened.seconds.toFixed(1)} | ${mebibytes(opened.peak)} |`);
  if (written.processor !== undefined) {
    const each = (written.processor / manyInstances) * 1000;
    console.log(
      `\nProcessor time of the client for each of them (wanted: under 1 ms; prompt, tokenizing, scores and files included): ${each.toFixed(2)} ms`,
    );
  }
} finally {
  await server.close();
  await rm(folder, { recursive: true, force: true });
}
