import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Job } from '../../../src/jobs/index.ts';
import { loadTracks, type Submission } from '../../../src/submission/index.ts';
import { commandIds } from '../../../src/ui/ids.ts';
import { addressText, type StageFacts, type StageId, stagesOf } from '../../../src/ui/submissions/stages.ts';

const tracks = await loadTracks();
const now = Date.parse('2026-03-01T12:00:00Z');
const at = (minutesAgo: number) => new Date(now - minutesAgo * 60_000).toISOString();

function submission(kind: Submission['kind']): Submission {
  const track = tracks.find((one) => one.kind === kind);
  assert.ok(track);
  return { folder: '/s', name: 's', kind, track, evidence: [{ file: 'main.py', shows: 'the kit' }] };
}

function facts(change: Partial<StageFacts> = {}): StageFacts {
  return {
    submission: submission('merging'),
    record: {},
    recipes: ['/s/recipe.yml'],
    mergedStands: false,
    packageStands: false,
    jobs: [],
    now,
    ...change,
  };
}

function stage(id: StageId, change: Partial<StageFacts> = {}) {
  const found = stagesOf(facts(change)).find((one) => one.id === id);
  assert.ok(found, `no stage ${id}`);
  return found;
}

function job(change: Partial<Job>): Job {
  return { id: 'j', kind: 'merge', title: 'merge', state: 'running', startedAt: now - 10_000, ...change };
}

const merged = {
  recipe: '/s/recipe.yml',
  out: '/s/out/merged',
  at: at(2),
  summary: 'linear · 2 models',
  recipeSha256: 'a',
};
const evaluated = {
  out: '/s/benchmark_output',
  suite: 'sample',
  name: 'merged',
  at: at(1),
  summary: '8 runs',
};

describe('stages of a submission', () => {
  it('come in the order of the road', () => {
    assert.deepEqual(
      stagesOf(facts()).map(({ label }) => label),
      ['Scaffold', 'Merge', 'Serve', 'Score', 'Doctor', 'Package'],
    );
  });

  it('an efficiency submission merges only when it has a recipe', () => {
    const efficiency = { submission: submission('efficiency') };
    const ids = (change: Partial<StageFacts>) => stagesOf(facts(change)).map(({ id }) => id);
    assert.ok(!ids({ ...efficiency, recipes: [] }).includes('merge'));
    assert.ok(ids(efficiency).includes('merge'));
  });

  it('what has not been done is "not yet", never an error', () => {
    const states = new Set(stagesOf(facts()).map(({ state }) => state));
    assert.deepEqual([...states], ['done', 'notYet']);
  });

  it('without a recipe the merge offers to make one', () => {
    assert.equal(stage('merge', { recipes: [] }).action, commandIds.newRecipe);
    assert.equal(stage('merge').action, commandIds.merge);
  });

  it('a merge says its method and age', () => {
    const done = stage('merge', { record: { merge: merged }, mergedStands: true, recipeSha256: 'a' });
    assert.equal(done.state, 'done');
    assert.equal(done.description, 'linear · 2 models · 2 m ago');
  });

  it('a merge whose recipe changed since is older than the recipe', () => {
    const old = stage('merge', { record: { merge: merged }, mergedStands: true, recipeSha256: 'b' });
    assert.deepEqual([old.state, old.description], ['attention', 'older than the recipe']);
  });

  it('a merge whose checkpoint was removed says so', () => {
    const gone = stage('merge', { record: { merge: merged }, mergedStands: false, recipeSha256: 'a' });
    assert.deepEqual([gone.state, gone.description], ['attention', 'the checkpoint is gone']);
  });

  it('a running job shows its share and time left, and can be found', () => {
    const running = stage('merge', {
      jobs: [job({ id: 'x', progress: { done: 50, total: 100, unit: 'tensors' } })],
    });
    assert.deepEqual([running.state, running.description, running.job], ['working', '50 % · 10 s left', 'x']);
  });

  it('a failed attempt shows until a later one succeeds', () => {
    const failed = job({ state: 'failed', error: 'no such model', startedAt: now - 60_000 });
    const after = stage('merge', { jobs: [failed] });
    assert.equal(after.state, 'failed');
    assert.ok(after.details.includes('no such model'));
    const later = { record: { merge: { ...merged, at: at(0) } }, mergedStands: true, recipeSha256: 'a' };
    assert.equal(stage('merge', { jobs: [failed], ...later }).state, 'done');
  });

  it('a cancelled job leaves the stage as it was', () => {
    const cancelled = job({ state: 'cancelled' });
    assert.equal(stage('merge', { jobs: [cancelled] }).state, 'notYet');
  });

  it('a live server shows its port, and stops when it is ours', () => {
    const endpoint = { url: 'http://127.0.0.1:8080', via: 'embedded', title: 'merged', ours: true };
    const ours = stage('serve', { endpoint });
    assert.deepEqual(
      [ours.state, ours.description, ours.action],
      ['live', 'embedded :8080', commandIds.stopServer],
    );
    const other = stage('serve', { endpoint: { ...endpoint, ours: false } });
    assert.equal(other.action, commandIds.checkEndpoint);
  });

  it('a score has its mean, with the difference to the baseline in sign and words', () => {
    const scores = { run: 'merged', mean: 0.612, baseline: 'base', delta: 0.034 };
    const done = stage('score', { record: { evaluate: evaluated }, scores });
    assert.equal(done.description, 'mean 61.2 (+3.4 to base)');
    assert.deepEqual([done.action, done.open], [commandIds.sendPrompts, commandIds.showScores]);
  });

  it('a score of the baseline itself shows no difference', () => {
    const scores = { run: 'base', mean: 0.5, baseline: 'base', delta: 0 };
    const done = stage('score', { record: { evaluate: { ...evaluated, name: 'base' } }, scores });
    assert.equal(done.description, 'mean 50.0');
  });

  it('a score from before the last merge is older than the merge', () => {
    const record = { evaluate: evaluated, merge: { ...merged, at: at(0) } };
    assert.equal(stage('score', { record }).description, 'older than the merge');
  });

  it('the doctor counts what it found, and notices files that were saved since', () => {
    const report = { findings: [], summary: { error: 1, warning: 2, info: 0 } };
    const found = stage('doctor', { report: { report, at: now - 1000 } });
    assert.deepEqual([found.state, found.description], ['attention', '1 error · 2 warnings']);
    const clean = { findings: [], summary: { error: 0, warning: 0, info: 3 } };
    assert.equal(stage('doctor', { report: { report: clean, at: now } }).state, 'done');
    const old = stage('doctor', { report: { report: clean, at: now - 5000 }, savedAt: now });
    assert.equal(old.description, 'older than the files');
  });

  it('a package that was deleted or is older than the merge needs attention', () => {
    const made = { file: '/s/s.tar.gz', sha256: 'c', bytes: 10, at: at(3) };
    const fit = stage('package', { record: { package: made }, packageStands: true });
    assert.deepEqual([fit.state, fit.description], ['done', 's.tar.gz · 3 m ago']);
    assert.equal(stage('package', { record: { package: made } }).description, 'the archive is gone');
    const record = { package: made, merge: merged };
    assert.equal(stage('package', { record, packageStands: true }).description, 'older than the merge');
  });
});

describe('the address of an endpoint', () => {
  it('is its port on this machine, its host elsewhere', () => {
    assert.equal(addressText('http://127.0.0.1:8080'), ':8080');
    assert.equal(addressText('http://localhost:9'), ':9');
    assert.equal(addressText('http://[::1]:8080'), ':8080');
    assert.equal(addressText('https://models.example.org'), 'models.example.org');
    assert.equal(addressText('http://10.0.0.7:8080'), '10.0.0.7:8080');
  });
});
