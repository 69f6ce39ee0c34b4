import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { stringify } from 'yaml';
import { openCheckpoint, readTensor } from '../../src/checkpoint/index.ts';
import { merge, type Profile } from '../../src/merge/index.ts';
import {
  decode,
  type LlamaOptions,
  llamaConfig,
  llamaTensors,
  type TestDtype,
  type TestTensors,
  writeCheckpoint,
} from '../support/checkpoints.ts';

// The same recipes through mergekit's own command and through merge(), compared tensor by tensor.

const python = process.env.SUBMISSION_STUDIO_PEERS;

const size = { layers: 3, hidden: 64, vocabulary: 70 };
const tokenizerFiles = {
  'tokenizer.json': JSON.stringify({
    version: '1.0',
    added_tokens: [],
    model: { type: 'WordLevel', vocab: { a: 0, b: 1 }, unk_token: 'a' },
  }),
  'tokenizer_config.json': JSON.stringify({ tokenizer_class: 'PreTrainedTokenizerFast' }),
  'generation_config.json': '{"do_sample": false}',
};

/** What a case allows: equal bits, or a distance in f32's last place scaled by the largest value. */
type Tolerance = 'exact' | { readonly absolute: number } | { readonly ulps: 1; readonly share: number };

interface Case {
  readonly recipe: { readonly models: readonly { model: string }[] } & Readonly<Record<string, unknown>>;
  readonly profile: Profile;
  readonly tolerance: Tolerance;
  readonly maxShardSize?: number;
}

/** A folder of its own, once there is a Python to compare with. */
let folder: string | undefined;
const model = (name: string) => join(folder ?? '', name);
const weighted = (name: string, weight: unknown) => ({ model: model(name), parameters: { weight } });

/** The cases, by name. They name models by absolute paths, which exist once the folder does. */
function cases(): Record<string, Case> {
  const all: Record<string, Case> = {};
  for (const dtype of ['bf16', 'f16', 'f32']) {
    const [base, a, b, c] = ['base', 'a', 'b', 'c'].map((name) => `${name}-${dtype}`) as [
      string,
      string,
      string,
      string,
    ];
    const compat = { profile: 'mergekit-0.1.5', tolerance: 'exact' } as const;
    all[`linear, three models, ${dtype}`] = {
      recipe: { merge_method: 'linear', models: [weighted(a, 0.31), weighted(b, 0.5), weighted(c, -0.17)] },
      ...compat,
    };
    all[`linear, not normalized, gradients and filters, ${dtype}`] = {
      recipe: {
        merge_method: 'linear',
        models: [
          weighted(a, [0, 0.7, 1]),
          weighted(b, [
            { filter: 'mlp', value: [0.9, 0.1] },
            { filter: 'lm_head', value: [0.2, 0.8] },
            { value: 0.4 },
          ]),
        ],
        parameters: { normalize: false },
      },
      ...compat,
    };
    all[`task arithmetic, base outside the list, ${dtype}`] = {
      recipe: {
        merge_method: 'task_arithmetic',
        base_model: model(base),
        models: [weighted(a, 0.6), weighted(b, -0.4), weighted(c, 0.33)],
        parameters: { lambda: 0.9 },
      },
      ...compat,
    };
    all[`task arithmetic, normalized, base in the list, gradients, ${dtype}`] = {
      recipe: {
        merge_method: 'task_arithmetic',
        base_model: model(base),
        models: [weighted(a, [0.2, 0.9]), { model: model(base) }, weighted(b, [1, 0.3, 0.7])],
        parameters: { normalize: true },
      },
      ...compat,
    };
  }
  all['linear with an unlisted base and a shared weight, sharded result'] = {
    recipe: {
      merge_method: 'linear',
      base_model: model('base-bf16'),
      models: [weighted('a-bf16', 2), { model: model('sharded-bf16') }],
      parameters: { weight: 0.7 },
    },
    profile: 'mergekit-0.1.5',
    tolerance: 'exact',
    maxShardSize: 60_000,
  };
  all['linear, six models in f32'] = {
    recipe: {
      merge_method: 'linear',
      models: ['base', 'a', 'b', 'c', 'd', 'e'].map((name, i) => weighted(`${name}-f32`, 0.1 + 0.13 * i)),
    },
    profile: 'mergekit-0.1.5',
    tolerance: 'exact',
  };
  all['mixed formats are promoted'] = {
    recipe: { merge_method: 'linear', models: [weighted('a-bf16', 0.3), weighted('b-f16', 0.6)] },
    profile: 'mergekit-0.1.5',
    tolerance: 'exact',
  };
  all['dtype float16 from bf16, written as bfloat16'] = {
    recipe: {
      merge_method: 'task_arithmetic',
      base_model: model('base-bf16'),
      models: [weighted('a-bf16', 0.5), weighted('b-bf16', 0.5)],
      dtype: 'float16',
      out_dtype: 'bfloat16',
    },
    profile: 'mergekit-0.1.5',
    tolerance: 'exact',
  };
  all['tied and untied output projections'] = {
    recipe: { merge_method: 'linear', models: [weighted('tied-bf16', 0.5), weighted('a-bf16', 0.25)] },
    profile: 'mergekit-0.1.5',
    tolerance: 'exact',
  };
  const once = { dtype: 'float32', out_dtype: 'bfloat16' };
  all['profile f32: task arithmetic computed in f32'] = {
    recipe: {
      merge_method: 'task_arithmetic',
      base_model: model('base-bf16'),
      models: [weighted('a-bf16', 0.6), weighted('b-bf16', [0.1, 0.9]), weighted('c-bf16', -0.2)],
      parameters: { lambda: 0.8 },
      ...once,
    },
    profile: 'f32',
    tolerance: 'exact',
  };
  all['profile f32: linear computed in f32'] = {
    // torch multiplies and adds in one rounding, the profile f32 in two: one result in 1e5 may round the other way.
    recipe: { merge_method: 'linear', models: [weighted('a-bf16', 0.31), weighted('b-bf16', 0.5)], ...once },
    profile: 'f32',
    tolerance: { ulps: 1, share: 1e-3 },
  };
  all['profile f32: linear in float32'] = {
    recipe: {
      merge_method: 'linear',
      models: [weighted('a-f32', 0.31), weighted('b-f32', 0.5), weighted('c-f32', 0.2)],
    },
    profile: 'f32',
    tolerance: { absolute: 3 * 2 ** -24 },
  };
  return all;
}

const names: Record<string, TestDtype> = { bf16: 'BF16', f16: 'F16', f32: 'F32' };

async function writeModels(): Promise<void> {
  for (const [suffix, dtype] of Object.entries(names)) {
    const options: LlamaOptions = { ...size, dtype };
    const base = llamaTensors(1, options);
    const write = (name: string, tensors: TestTensors, extra = {}) =>
      writeCheckpoint(model(`${name}-${suffix}`), {
        config: llamaConfig(options),
        tensors,
        files: tokenizerFiles,
        ...extra,
      });
    await write('base', base);
    for (const [i, name] of ['a', 'b', 'c', 'd', 'e'].entries()) {
      await write(name, llamaTensors(i + 2, options, base));
    }
    await write('sharded', llamaTensors(20, options, base), { shards: 3 });
    const tied = { ...options, tied: true };
    await write('tied', llamaTensors(30, tied, base), { config: llamaConfig(tied) });
  }
}

const file = (name: string) => join(folder ?? '', name.replace(/\W+/g, '-'));

before(async () => {
  if (python === undefined) return;
  folder = await mkdtemp(join(tmpdir(), 'merge-parity-'));
  await writeModels();
  const jobs: { recipe: string; out: string; args: string[] }[] = [];
  for (const [name, { recipe, maxShardSize }] of Object.entries(cases())) {
    await writeFile(`${file(name)}.yml`, stringify(recipe));
    const args = maxShardSize === undefined ? [] : ['--out-shard-size', `${maxShardSize / 1000}K`];
    jobs.push({ recipe: `${file(name)}.yml`, out: `${file(name)}-theirs`, args });
  }
  await writeFile(join(folder, 'jobs.json'), JSON.stringify(jobs));
  const script = fileURLToPath(new URL('./mergekit-references.py', import.meta.url));
  await promisify(execFile)(python, [script, join(folder, 'jobs.json')], { cwd: folder }).catch(
    async (error) => {
      for (const { out } of jobs) {
        const log = await readFile(`${out}.log`, 'utf8').catch(() => '');
        if (log.includes('Traceback')) throw new Error(`mergekit failed for ${out}:\n${log}`);
      }
      throw error;
    },
  );
});

after(async () => {
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
});

interface Difference {
  maxAbs: number;
  maxUlp: number;
  exact: number;
  elements: number;
  largest: number;
}

/** The position of a stored value on the number line of its format. */
function ordinal(bits: number, width: number): number {
  const sign = 2 ** (width - 1);
  return bits >= sign ? sign - bits : bits;
}

async function compare(ours: string, theirs: string): Promise<Difference> {
  const [left, right] = [await openCheckpoint(ours), await openCheckpoint(theirs)];
  assert.deepEqual([...left.tensors.keys()].sort(), [...right.tensors.keys()].sort());
  const result: Difference = { maxAbs: 0, maxUlp: 0, exact: 0, elements: 0, largest: 0 };
  for (const [name, info] of left.tensors) {
    const other = right.tensors.get(name);
    assert(other);
    assert.deepEqual([info.dtype, info.shape], [other.dtype, other.shape], name);
    const [a, b] = [Uint8Array.from(await readTensor(info)), Uint8Array.from(await readTensor(other))];
    const [x, y] = [decode(info.dtype, a), decode(info.dtype, b)];
    const width = info.dtype === 'F32' ? 32 : 16;
    const bits = (bytes: Uint8Array) =>
      width === 32 ? new Uint32Array(bytes.buffer) : new Uint16Array(bytes.buffer);
    const [p, q] = [bits(a), bits(b)];
    for (const [i, value] of x.entries()) {
      const reference = y[i] ?? Number.NaN;
      assert(Number.isFinite(value) && Number.isFinite(reference), name);
      result.maxAbs = Math.max(result.maxAbs, Math.abs(value - reference));
      result.maxUlp = Math.max(
        result.maxUlp,
        Math.abs(ordinal(p[i] ?? 0, width) - ordinal(q[i] ?? 0, width)),
      );
      result.exact += value === reference ? 1 : 0;
      result.largest = Math.max(result.largest, Math.abs(reference));
    }
    result.elements += x.length;
  }
  return result;
}

describe('mergekit 0.1.5', () => {
  for (const name of Object.keys(cases())) {
    test(name, async (t) => {
      if (python === undefined)
        return t.skip('SUBMISSION_STUDIO_PEERS is not set: there is no Python with mergekit');
      const item = cases()[name];
      assert(item);
      const [ours, theirs] = [`${file(name)}-ours`, `${file(name)}-theirs`];
      const { profile, maxShardSize, tolerance } = item;
      await merge(`${file(name)}.yml`, ours, {
        profile,
        workers: 2,
        ...(maxShardSize === undefined ? {} : { maxShardSize }),
      });
      const found = await compare(ours, theirs);
      const share = found.exact / found.elements;
      t.diagnostic(
        `max abs ${found.maxAbs.toExponential(1)}, max ulp ${found.maxUlp}, exact ${share.toFixed(6)}`,
      );
      if (tolerance === 'exact') assert.equal(share, 1);
      else if ('absolute' in tolerance) assert(found.maxAbs <= tolerance.absolute * found.largest);
      else assert(found.maxUlp <= tolerance.ulps && share >= 1 - tolerance.share);
      assert(found.elements > 100_000);

      const theirFiles = (await readdir(theirs)).sort();
      assert.deepEqual((await readdir(ours)).sort(), theirFiles);
      const json = async (where: string, what: string) =>
        JSON.parse(await readFile(join(where, what), 'utf8'));
      if (theirFiles.includes('model.safetensors.index.json')) {
        const [mine, reference] = [
          await json(ours, 'model.safetensors.index.json'),
          await json(theirs, 'model.safetensors.index.json'),
        ];
        assert.deepEqual(Object.entries(mine.weight_map), Object.entries(reference.weight_map));
        assert.equal(mine.metadata.total_size, reference.metadata.total_size);
      }
      const [mine, reference] = [await json(ours, 'config.json'), await json(theirs, 'config.json')];
      // transformers 5 writes the format under its new name; ours keeps the donor's. Without a base and a format of the
      // recipe, mergekit's donor is any of the models, by the hashes of their paths; ours is the first.
      const { base_model: base, dtype, models } = item.recipe;
      const donors =
        base === undefined && dtype === undefined
          ? await Promise.all(models.map(({ model: folder }) => json(folder, 'config.json')))
          : [];
      const [first] = donors;
      assert.equal(mine.torch_dtype, (first ?? reference).torch_dtype ?? reference.dtype);
      const formats = first === undefined ? [mine.torch_dtype] : donors.map((config) => config.torch_dtype);
      assert(formats.includes(reference.dtype ?? reference.torch_dtype));
      for (const key of ['architectures', 'hidden_size', 'num_hidden_layers', 'vocab_size', 'rms_norm_eps']) {
        assert.deepEqual(mine[key], reference[key], key);
      }
    });
  }
});
