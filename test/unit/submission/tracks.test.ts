import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { mediaPath, UserError } from '../../../src/base/index.ts';
import type { Inspection } from '../../../src/checkpoint/index.ts';
import {
  addTrackFile,
  checkpointFits,
  describeTrack,
  findTrack,
  loadTracks,
  type Track,
  trackSchema,
  userTracksFolder,
} from '../../../src/submission/index.ts';
import { folderWith } from './folder.ts';

let configuration = '';
const old = process.env.XDG_CONFIG_HOME;
before(async () => {
  configuration = await folderWith({});
  process.env.XDG_CONFIG_HOME = configuration;
});
after(() => {
  if (old === undefined) delete process.env.XDG_CONFIG_HOME;
  else process.env.XDG_CONFIG_HOME = old;
});

const merging = async () => findTrack(await loadTracks(), 'llm-merging-2024');

test('the three tracks carry their limits, each with source and day', async () => {
  const tracks = await loadTracks();
  const limits = (id: string) => findTrack(tracks, id).limits;
  assert.equal(limits('llm-merging-2024').parameters?.value, 8e9);
  assert.equal(limits('llm-merging-2024').gpuMemoryBytes?.value, 48e9);
  assert.equal(limits('llm-merging-2024').mergeSeconds?.value, 3600);
  assert.equal(limits('llm-merging-2024').evaluationsPerDay?.value, 1);
  assert.equal(limits('llm-efficiency-2023-4090').gpuMemoryBytes?.value, 24e9);
  assert.equal(limits('llm-efficiency-2023-a100').gpuMemoryBytes?.value, 40e9);
  for (const id of ['llm-efficiency-2023-4090', 'llm-efficiency-2023-a100']) {
    assert.equal(limits(id).evaluationSeconds?.value, 7200);
    assert.equal(limits(id).trainSeconds?.value, 86_400);
    assert.equal(limits(id).contextTokens?.value, 2048);
    assert.equal(limits(id).evaluationsPerDay?.value, 3);
  }
  const walk = (value: unknown, path: string): void => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return;
    if ('value' in value || 'url' in value) {
      assert.ok('source' in value && 'readOn' in value, `${path} has no source`);
    }
    for (const [key, inner] of Object.entries(value)) walk(inner, `${path}.${key}`);
  };
  for (const track of tracks) walk(track, track.id);
});

test('every link is https, and the leaderboard has its date', async () => {
  const tracks = await loadTracks();
  for (const { links } of tracks) {
    for (const name of ['site', 'rules', 'kit', 'discord', 'leaderboard'])
      assert.match(links[name]?.url ?? '', /^https:/, name);
  }
  const described = describeTrack(await merging());
  assert.equal(described.leaderboard.length, 13);
  assert.deepEqual(
    [described.leaderboard[0]?.name, described.leaderboard[0]?.score, described.leaderboard[0]?.date],
    ['readapt_median', 48.4, '2024-07-29'],
  );
  assert.ok(described.source && described.readOn);
});

test('an unknown track names those there are', async () => {
  const tracks = await loadTracks();
  assert.throws(
    () => findTrack(tracks, 'x'),
    (error: UserError) => /llm-merging-2024/.test(error.remedy ?? ''),
  );
});

async function ownTrack(change: (text: string) => string = (text) => text): Promise<string> {
  const text = await readFile(mediaPath('tracks/llm-merging-2024.yaml'), 'utf8');
  const folder = await folderWith({
    'mine.yaml': change(
      text
        .replace('id: llm-merging-2024', 'id: our-cup-2027')
        .replace('name: LLM Merging 2024', 'name: Our cup'),
    ),
  });
  return join(folder, 'mine.yaml');
}

test('a track file is added with its comments, and found from then on', async () => {
  const added = await addTrackFile(await ownTrack());
  assert.equal(added.id, 'our-cup-2027');
  assert.equal(findTrack(await loadTracks(), 'our-cup-2027').name, 'Our cup');
  assert.match(await readFile(join(userTracksFolder(), 'our-cup-2027.yaml'), 'utf8'), /^# Every value/);
});

test('a wrong track file is refused with file, line and field, and not added', async () => {
  const place = async (change: (text: string) => string) => {
    const path = await ownTrack(change);
    try {
      await addTrackFile(path);
    } catch (error) {
      assert.ok(error instanceof UserError);
      assert.equal(error.kind, 'usage');
      assert.equal(error.place.file, path);
      return { line: error.place.line, message: error.message };
    }
    return assert.fail('it was added');
  };
  const lineOf = (text: string) => text.split('\n').findIndex((line) => line.includes('gpuMemoryBytes')) + 1;
  let expected = 0;
  const wrongNumber = await place((text) => {
    expected = lineOf(text) + 1;
    return text.replace('value: 48e9', 'value: many');
  });
  assert.equal(wrongNumber.line, expected);
  assert.match(wrongNumber.message, /limits\.gpuMemoryBytes\.value/);
  assert.equal((await place((text) => text.replace('kind: merging', 'kind: other'))).line, 4);
  assert.match((await place((text) => `${text}\nextra: 1\n`)).message, /extra/);
  assert.match((await place((text) => text.replace('limits:', 'limits: [')))?.message, /broken YAML/);
  const sourceless = await place((text) => text.replace(/(value: 48e9\n)\s+source: .*\n/, '$1'));
  assert.match(sourceless.message, /source/);
});

test('tracks of a folder come last and replace those with the same id', async () => {
  const folder = await folderWith({});
  await mkdir(join(folder, '.submission/tracks'), { recursive: true });
  const text = await readFile(mediaPath('tracks/llm-merging-2024.yaml'), 'utf8');
  await writeFile(
    join(folder, '.submission/tracks/x.yaml'),
    text.replace('name: LLM Merging 2024', 'name: Replaced'),
  );
  assert.equal(findTrack(await loadTracks({ folder }), 'llm-merging-2024').name, 'Replaced');
  assert.equal((await merging()).name, 'LLM Merging 2024');
});

const inspection = (parts: Partial<Inspection>): Inspection => ({
  architecture: 'LlamaForCausalLM',
  parameters: 1e9,
  dtypes: {},
  bytes: 2e9,
  tensors: 1,
  tokenizer: 'BPE',
  contextTokens: 4096,
  ...parts,
});

test('a checkpoint above 8B does not fit, one that the rules themselves recommend does', async () => {
  const track = await merging();
  const fits = (parameters: number) => checkpointFits(inspection({ parameters }), track);
  assert.equal(fits(8e9).fits, true);
  assert.equal(fits(8_030_261_248).fits, true);
  assert.equal(fits(8_537_680_896).fits, true);
  assert.equal(fits(8_200_000_000).fits, false);
  assert.match(fits(13_015_864_320).why ?? '', /13\.0B parameters.*llm-merging\.github\.io/);
});

test('a short context and too many weights do not fit the efficiency track', async () => {
  const tracks = await loadTracks();
  const small = findTrack(tracks, 'llm-efficiency-2023-4090');
  const large = findTrack(tracks, 'llm-efficiency-2023-a100');
  const short = checkpointFits(inspection({ contextTokens: 1024 }), small);
  assert.equal(short.fits, false);
  assert.match(short.why ?? '', /1024 tokens/);
  const seventy = inspection({ parameters: 70e9 });
  assert.equal(checkpointFits(seventy, small).fits, false);
  assert.equal(checkpointFits(seventy, large).fits, true);
  assert.equal(checkpointFits(inspection({ contextTokens: null }), small).fits, true);
});

test('the schema refuses what is no track', () => {
  const wrong: unknown[] = [undefined, {}, [], 'x', { id: 'Big Id' }];
  for (const value of wrong) assert.equal(trackSchema.safeParse(value).success, false);
  const minimal: Track = {
    id: 'x',
    name: 'x',
    kind: 'merging',
    source: 's',
    readOn: '2026-11-23',
    limits: {},
    package: { form: 'tar', leaveOut: [], source: 's', readOn: '2026-11-23' },
    links: {},
  };
  assert.equal(trackSchema.safeParse(minimal).success, true);
});
