import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { evaluate, readScores } from '../../src/helm/index.ts';
import { mildMix } from '../../src/helm/perturbations/mild-mix.ts';
import { PythonRandom } from '../../src/helm/python/random.ts';
import { type CannedServer, startCannedServer } from '../unit/helm/canned-server.ts';
import { golden } from '../unit/helm/golden.ts';
import { writeInventedData } from '../unit/helm/invented-data.ts';

// Against the real crfm-helm: the same conf through helm-run and evaluate(), against the same deterministic server.

const python = process.env.SUBMISSION_STUDIO_PEERS;
const run = promisify(execFile);

const conf = `entries: [
  { description: "simple_mcqa:model=neurips/local,max_eval_instances=20" }
  { description: "simple_classification:model=neurips/local,num_train_trials=2,temperature=0.7" }
  { description: "synthetic_reasoning:mode=pattern_match,model=neurips/local" }
  { description: "synthetic_reasoning:mode=variable_substitution,model=neurips/local,max_train_instances=0" }
  { description: "synthetic_reasoning:mode=induction,newline=br,model=neurips/local,eval_split=valid" }
  { description: "synthetic_reasoning_natural:difficulty=hard,model=neurips/local", groups: [zeta, alpha] }
  { description: "synthetic_reasoning_natural:difficulty=medium,model=neurips/local,instructions=expert" }
  { description: "dyck_language:num_parenthesis_pairs=2,model=neurips/local" }
  { description: "dyck_language:num_parenthesis_pairs=4,model=neurips/local,max_train_instances=all" }
  { description: "mmlu:model=neurips/local,subject=sky_lamps,data_augmentation=canonical,max_eval_instances=20" }
  { description: "mmlu:model=neurips/local,subject=sky_lamps,method=multiple_choice_separate_original" }
  { description: "truthful_qa:task=mc_single,model=neurips/local" }
  { description: "truthful_qa:task=mc_single,method=multiple_choice_separate_calibrated,model=neurips/local" }
  { description: "gsm:model=neurips/local,max_eval_instances=19" }
  { description: "math:subject=number_theory,level=2,model=neurips/local" }
  { description: "math:subject=algebra,level=3,use_official_examples=True,model=neurips/local" }
  { description: "math:subject=number_theory,level=1,use_chain_of_thought=True,model=neurips/local,max_train_instances=2" }
  { description: "bbq:subject=all,model=neurips/local,max_eval_instances=40" }
  { description: "big_bench:model=neurips/local,max_train_instances=big_bench_few_shot_setting,task=snarks,subtask=" }
  { description: "big_bench:model=neurips/local,task=repeat,subtask=deep" }
  { description: "summarization_cnndm:model=neurips/local,temperature=0.5" }
]`;

/** Stands in for the packages and downloads of HELM's summarization extra, which ROUGE does not need. */
const summarizationPlugin = `
import sys, types
import spacy.util
bert_score = types.ModuleType("bert_score"); bert_score.BERTScorer = object
summ_eval = types.ModuleType("summ_eval"); stats = types.ModuleType("summ_eval.data_stats_metric")
class DataStatsMetric:
    def evaluate_example(self, summary, text):
        return {"coverage": 0, "density": 0, "compression": 0}
stats.DataStatsMetric = DataStatsMetric
sys.modules.update({"bert_score": bert_score, "summ_eval": summ_eval, "summ_eval.data_stats_metric": stats})
spacy.util.is_package = lambda name: True
from helm.benchmark.metrics.summarization_metrics import SummarizationMetric
def missing(*args):
    raise ValueError
SummarizationMetric._load_humaneval = missing
SummarizationMetric._load_qafacteval = missing
`;

/** HELM loads MATH from the Hub; the same problems come from files here, and are sorted and shuffled by `datasets`. */
const mathPlugin = `
import datasets, glob, json
from helm.benchmark.scenarios import math_scenario
def load(*args, cache_dir, **options):
    def split(name):
        files = sorted(glob.glob(f"{cache_dir}/../{name}/*/*.json"))
        return datasets.Dataset.from_list([json.load(open(file)) for file in files])
    return datasets.DatasetDict({name: split(name) for name in ("train", "test")})
math_scenario.load_dataset = load
`;

/** Articles with highlights as the pickle that HELM reads. */
const pickleArticles = `
import pickle, sys
def example(i, words):
    return {"article": ("Running \\n runners  of city %d said it. " % i) * (words // 7), "highlights": "Runners ran \\n in city %d ." % i}
articles = {
    "train": [example(i, 20 + 12 * i) for i in range(15)],
    "validation": [example(i, 40 * i) for i in range(1, 9)],
    "test": [example(i, 100 * i) for i in range(1, 9)],
}
pickle.dump(articles, open(sys.argv[1], "wb"))
`;

/** HELM's word lists for perturbations where the package has them; small invented ones where it downloads them. */
async function writePerturbationLists(site: string): Promise<void> {
  const lists = join(folder, 'benchmark_output/perturbations');
  await mkdir(join(lists, 'dialect'), { recursive: true });
  await mkdir(join(lists, 'person_name/data'), { recursive: true });
  const misspellings = join(site, 'helm/benchmark/augmentations/correct_to_misspelling.json');
  await copyFile(misspellings, join(lists, 'correct_to_misspelling.json'));
  const dialect = {
    with: ['wit', 'wiff'],
    the: ['da'],
    'what is': ["what's"],
    nothing: ['nuffin'],
    "isn't": ["ain't"],
  };
  await writeFile(join(lists, 'dialect/SAE_to_AAVE_mapping.json'), JSON.stringify(dialect));
  const names = ['greg,white_american,male', 'emily,white_american,female', 'jamal,black_american,male'];
  const lines = [...names, 'lakisha,black_american,female', 'keisha,black_american,female'].map((line) => {
    const [name, race, gender] = line.split(',');
    return `${name},first_name,race,${race},gender,${gender}`;
  });
  await writeFile(
    join(lists, 'person_name/data/person_names.txt'),
    `${lines.join('\n')}\nli,last_name,race,chinese\n`,
  );
}

const theirOut = 'benchmark_output';

let folder: string;
let server: CannedServer;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'helm-parity-'));
  server = await startCannedServer();
});

after(async () => {
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

async function helm(program: string, args: readonly string[]): Promise<string> {
  const { stdout, stderr } = await run(join(dirname(python ?? ''), program), args, {
    cwd: folder,
    maxBuffer: 2 ** 28,
    env: {
      ...process.env,
      HELM_HTTP_MODEL_BASE_URL: server.url,
      HELM_RETRIES: '1',
      HF_HUB_OFFLINE: '1',
      PYTHONHASHSEED: '0',
    },
  });
  return stdout + stderr;
}

async function sitePackages(interpreter: string): Promise<string> {
  const code = 'import sysconfig; print(sysconfig.get_path("purelib"))';
  return (await run(interpreter, ['-c', code])).stdout.trim();
}

async function json(...path: string[]): Promise<unknown> {
  return JSON.parse(await readFile(join(folder, ...path), 'utf8'));
}

/** The bodies of /process since the last call, in a fixed order: parallel requests arrive in any. */
function takeBodies(): string[] {
  return server.requests['/process'].splice(0).sort();
}

interface FileStat {
  readonly name: { readonly name: string };
  readonly [field: string]: unknown;
}

/** Statistics by their full name, without those that are measured in seconds or fitted by an optimizer. */
function comparable(stats: readonly FileStat[]): Map<string, FileStat> {
  return new Map(
    stats
      .filter(({ name }) => !/runtime|^platt_|^summarization_/.test(name.name))
      .map((stat) => [JSON.stringify(Object.entries(stat.name).sort()), stat]),
  );
}

function assertSameStats(ours: readonly FileStat[], theirs: readonly FileStat[], what: string): number {
  const expected = comparable(theirs);
  const actual = comparable(ours);
  assert.deepEqual([...actual.keys()].sort(), [...expected.keys()].sort(), `names of ${what}`);
  for (const [key, stat] of expected) {
    const mine = actual.get(key) as FileStat;
    assert.deepEqual(Object.keys(mine).sort(), Object.keys(stat).sort(), `fields of ${what} ${key}`);
    for (const [field, value] of Object.entries(stat)) {
      if (typeof value !== 'number') continue;
      const difference = Math.abs((mine[field] as number) - value);
      assert.ok(difference <= 1e-9, `${what} ${key}.${field}: ${mine[field]} is not ${value}`);
    }
  }
  return expected.size;
}

/** Numbers that HELM writes as floats and we as integers are equal; the server's seconds are what they are. */
function withoutTimes(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (key, item) => (key === 'request_time' ? undefined : item)));
}

/** BIG-bench's metrics come from a set in HELM, in the order of its hashes. */
function withSortedNames(spec: unknown): unknown {
  return JSON.parse(JSON.stringify(spec, (key, item) => (key === 'names' ? item.toSorted() : item)));
}

test('helm-run and evaluate ask the same, measure the same, write the same', {
  timeout: 180_000,
}, async (t) => {
  if (!python) return t.skip('SUBMISSION_STUDIO_PEERS is not set');
  const file = join(folder, 'entries.conf');
  await writeFile(file, conf);
  const site = await sitePackages(python);
  await writePerturbationLists(site);
  const data = join(folder, 'benchmark_output/scenarios');
  await writeInventedData(data);
  await mkdir(join(data, 'summarization/data'), { recursive: true });
  await run(python, ['-c', pickleArticles, join(data, 'summarization/data/cnndm.pk')]);
  const plugin = join(folder, 'plugin.py');
  await writeFile(plugin, summarizationPlugin + mathPlugin);
  // HELM's perturbations look for their lists below its default output folder.
  const output = ['-o', theirOut, '--local-path', 'local', '--plugins', plugin];
  await helm('helm-run', ['-c', file, '--suite', 'entries', '-m', '12', ...output]);
  const theirBodies = takeBodies();
  const started = performance.now();
  const { runs, warnings } = await evaluate(server.url, {
    suite: file,
    out: join(folder, 'ours'),
    maxEvalInstances: 12,
    data,
  });
  const seconds = (performance.now() - started) / 1000;
  assert.deepEqual(takeBodies(), theirBodies, 'bodies of /process, byte for byte');
  assert.deepEqual(warnings, []);

  const theirRuns = (await readdir(join(folder, theirOut, 'runs/entries'))).filter(
    (name) => name !== 'eval_cache',
  );
  assert.deepEqual(runs.map(({ name }) => name).sort(), theirRuns.sort());
  let stats = 0;
  for (const { name, failed } of runs) {
    assert.equal(failed, 0);
    const read = async (of: string, part: string) => json(of, 'runs/entries', name, `${part}.json`);
    const both = async (part: string) => [await read('ours', part), await read(theirOut, part)] as const;
    const [ourSpec, theirSpec] = await both('run_spec');
    assert.deepEqual(withSortedNames(ourSpec), withSortedNames(theirSpec));
    const [ourState, theirState] = await both('scenario_state');
    assert.deepEqual(withoutTimes(ourState), withoutTimes(theirState));
    const [ourScenario, theirScenario] = (await both('scenario')) as unknown as Record<string, unknown>[];
    assert.deepEqual({ ...ourScenario, description: '' }, { ...theirScenario, description: '' });
    const [ourStats, theirStats] = await both('stats');
    stats += assertSameStats(ourStats as FileStat[], theirStats as FileStat[], name);
    const [ourItems, theirItems] = (await both('per_instance_stats')) as unknown as {
      instance_id: string;
      train_trial_index: number;
      stats: FileStat[];
    }[][];
    assert.equal(ourItems?.length, theirItems?.length);
    for (const [index, item] of (theirItems ?? []).entries()) {
      const mine = ourItems?.[index];
      assert.equal(mine?.instance_id, item.instance_id);
      assert.equal(mine?.train_trial_index, item.train_trial_index);
      assertSameStats(mine?.stats ?? [], item.stats, `${name} ${item.instance_id}`);
    }
  }
  t.diagnostic(
    `${theirBodies.length} requests, ${stats} stats of ${runs.length} runs equal; ours ${seconds.toFixed(2)} s`,
  );

  // Runs written by helm-run are as readable as ours, and show the same scores.
  const [ours, theirs] = await Promise.all(['ours', theirOut].map((out) => readScores(join(folder, out))));
  assert.deepEqual(theirs?.problems, []);
  const shown = (table: typeof ours) =>
    table?.rows.map(({ run: name, cells }) => [name, cells.map(({ value }) => value)]);
  assert.deepEqual(shown(theirs), shown(ours));
});

test('mild mix misspells as HELM does, with HELM’s own list', async (t) => {
  if (!python) return t.skip('SUBMISSION_STUDIO_PEERS is not set');
  const file = join(await sitePackages(python), 'helm/benchmark/augmentations/correct_to_misspelling.json');
  const list = JSON.parse(await readFile(file, 'utf8')) as Record<string, string[]>;
  const mix = mildMix(new Map(Object.entries(list)));
  for (const { id, text, mild_mix } of golden.perturbations)
    assert.equal(mix(text, new PythonRandom(id)), mild_mix);
});

test('helm-summarize accepts the sample suite', { timeout: 120_000 }, async (t) => {
  if (!python) return t.skip('SUBMISSION_STUDIO_PEERS is not set');
  const out = join(folder, 'sample');
  for (const name of ['base', 'merged']) await evaluate(server.url, { suite: 'sample', out, name });
  const output = await helm('helm-summarize', [
    '--suite',
    'sample',
    '-o',
    out,
    '-n',
    '1',
    '--auto-generate-schema',
  ]).catch((error: { stderr?: string; stdout?: string }) => assert.fail(`${error.stdout}${error.stderr}`));
  assert.doesNotMatch(output, /Traceback/);
  const listed = (await json('sample/runs/sample/runs.json')) as { run_spec: { name: string } }[];
  const table = await readScores(out);
  assert.deepEqual(
    listed.map(({ run_spec }) => run_spec.name).sort(),
    table.runs.map(({ name }) => name).sort(),
  );
  for (const { folder: path } of table.runs) {
    const predictions = JSON.parse(
      await readFile(join(path, 'display_predictions.json'), 'utf8'),
    ) as unknown[];
    const instances = JSON.parse(await readFile(join(path, 'instances.json'), 'utf8')) as unknown[];
    assert.ok(predictions.length >= 10 && instances.length === predictions.length);
  }
});
