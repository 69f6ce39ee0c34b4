import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { mergeTile } from '../../../src/merge/block.ts';
import { Kernels, loadKernelModule } from '../../../src/merge/kernels/index.ts';
import { layOutMemory, workerMemory } from '../../../src/merge/memory.ts';
import { methodsByName, type Profile } from '../../../src/merge/methods/index.ts';
import type { TensorTask } from '../../../src/merge/plan.ts';
import { resolveParameters } from '../../../src/merge/recipe/parameters.ts';
import { decode } from '../../support/checkpoints.ts';

const formats = { f32: 'F32', bf16: 'BF16', f16: 'F16' } as const;
const dtype = z.enum(['f32', 'bf16', 'f16']);

/** Results of mergekit 0.1.5 itself, computed in process. */
const golden = z
  .object({
    reference: z.literal('mergekit 0.1.5'),
    cases: z.array(
      z.object({
        id: z.string(),
        method: z.string(),
        dtype,
        shape: z.array(z.number()),
        base: z.number().nullable(),
        params: z.record(z.string(), z.union([z.number(), z.boolean(), z.array(z.number())])),
        inputs: z.array(z.string()),
        outDtype: dtype,
        out: z.string(),
        tol: z.string(),
      }),
    ),
  })
  .parse(
    JSON.parse(
      readFileSync(
        fileURLToPath(new URL('../../fixtures/golden/merge-golden.json', import.meta.url)),
        'utf8',
      ),
    ),
  );

type Case = (typeof golden.cases)[number];

let module: WebAssembly.Module;
before(async () => {
  module = await loadKernelModule();
});

/** The case through the engine's own parameter resolver, block loop and kernels. */
function run(item: Case, profile: Profile): Uint8Array {
  const method = methodsByName.get(item.method);
  assert(method);
  const elements = item.shape.reduce((product, size) => product * size, 1);
  const perInput = (index: number) => {
    const spec = Object.entries(item.params).filter(([, value]) => Array.isArray(value));
    return Object.fromEntries(spec.map(([name, value]) => [name, (value as number[])[index] ?? 0]));
  };
  let asked = 0;
  const sources = item.inputs.map((_, index) => {
    const isBase = index === item.base;
    const counts = item.method === 'linear' || !isBase;
    return { isBase, tensor: 'x', parameters: counts ? perInput(asked++) : undefined };
  });
  const shared = Object.fromEntries(
    Object.entries(item.params).flatMap(([name, value]) =>
      Array.isArray(value) ? [] : [[name, value] as const],
    ),
  );
  const format = formats[item.dtype];
  const task: TensorTask = {
    name: 'x',
    elements,
    kind: 'merge',
    sources: item.inputs.map((_, file) => ({ file, begin: 0, dtype: format })),
    base: item.method === 'linear' ? -1 : (item.base ?? -1),
    values: resolveParameters(method, sources, [shared], { tensor: 'x', position: 0 }),
    rounding: profile === 'f32' ? 'F32' : format,
    output: { shard: 0, begin: 0, dtype: formats[item.outDtype] },
  };
  const layout = layOutMemory([task], 1, 2 ** 24);
  const memory = new WebAssembly.Memory({ initial: layout.pages, maximum: layout.pages, shared: true });
  const { blocks, lanes } = workerMemory(layout, 0);
  const [lane] = lanes;
  assert(lane);
  for (const [index, hex] of item.inputs.entries()) {
    const bytes = Buffer.from(hex, 'hex');
    new Uint8Array(memory.buffer, lane.sources[index], bytes.length).set(bytes);
  }
  mergeTile(new Kernels(module, memory), profile, method, task, elements, lane, blocks);
  return new Uint8Array(memory.buffer, lane.result, item.out.length / 2).slice();
}

const cases = golden.cases.filter((item) => methodsByName.has(item.method));

describe('golden results of mergekit 0.1.5', () => {
  test('every case of the methods that there are is used', () => {
    assert.equal(cases.length, 6);
  });

  for (const item of cases) {
    test(`${item.id}: the profile mergekit-0.1.5 gives the same bytes`, () => {
      assert.equal(item.tol, 'exact');
      assert.equal(Buffer.from(run(item, 'mergekit-0.1.5')).toString('hex'), item.out);
    });

    test(`${item.id}: the profile f32 differs by the missing roundings alone`, () => {
      const format = formats[item.outDtype];
      const [ours, theirs] = [run(item, 'f32'), Buffer.from(item.out, 'hex')].map((bytes) =>
        decode(format, bytes),
      );
      assert(ours && theirs);
      const largest = Math.max(...theirs.map(Math.abs));
      // Three roundings of intermediate results to the working format, each by half a unit in the last place.
      const allowed = largest * 3 * { F32: 2 ** -24, BF16: 2 ** -8, F16: 2 ** -11 }[format];
      for (const [i, value] of ours.entries()) {
        assert(Math.abs(value - (theirs[i] ?? 0)) <= allowed, `element ${i}: ${value}, not ${theirs[i]}`);
      }
    });
  }
});
