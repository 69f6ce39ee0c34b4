// How fast merges are against the physical floor (copying the same bytes) and against mergekit, as ratios of one
// run on one machine. Prints Markdown.
//   node test/bench/merge.bench.ts [LAYERS]
// It writes three Llama-shaped checkpoints of bf16 (24 layers: 0.44B parameters, 2.6 GB) to the temporary folder.
// With SUBMISSION_STUDIO_PEERS (a Python with mergekit) it runs mergekit-yaml on the same recipes, too.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { stringify } from 'yaml';
import { layOutSafetensors, type TensorSpec } from '../../src/checkpoint/index.ts';

const run = promisify(execFile);
const cli = fileURLToPath(new URL('../../dist/cli.js', import.meta.url));
const python = process.env.SUBMISSION_STUDIO_PEERS;
const repetitions = 3;
const shape = { hidden: 1024, intermediate: 2816, vocabulary: 32000, layers: Number(process.argv[2] ?? 24) };

function specs(): TensorSpec[] {
  const { hidden, intermediate, vocabulary, layers } = shape;
  const spec = (name: string, ...sizes: number[]): TensorSpec => ({ name, dtype: 'BF16', shape: sizes });
  const stack = Array.from({ length: layers }, (_, layer) => {
    const at = (name: string) => `model.layers.${layer}.${name}.weight`;
    return [
      spec(at('input_layernorm'), hidden),
      ...['q_proj', 'k_proj', 'v_proj', 'o_proj'].map((name) =>
        spec(at(`self_attn.${name}`), hidden, hidden),
      ),
      spec(at('post_attention_layernorm'), hidden),
      spec(at('mlp.gate_proj'), intermediate, hidden),
      spec(at('mlp.up_proj'), intermediate, hidden),
      spec(at('mlp.down_proj'), hidden, intermediate),
    ];
  });
  return [
    spec('model.embed_tokens.weight', vocabulary, hidden),
    ...stack.flat(),
    spec('model.norm.weight', hidden),
    spec('lm_head.weight', vocabulary, hidden),
  ];
}

/** Weights that vary from model to model: the speed does not depend on their values, only on their being finite. */
async function writeModel(folder: string, seed: number): Promise<void> {
  await mkdir(folder, { recursive: true });
  const { hidden, intermediate, vocabulary, layers } = shape;
  const config = {
    architectures: ['LlamaForCausalLM'],
    model_type: 'llama',
    hidden_size: hidden,
    intermediate_size: intermediate,
    num_hidden_layers: layers,
    num_attention_heads: 16,
    num_key_value_heads: 16,
    vocab_size: vocabulary,
    torch_dtype: 'bfloat16',
  };
  await writeFile(join(folder, 'config.json'), JSON.stringify(config));
  const { header, bytes } = layOutSafetensors(specs());
  const values = Uint16Array.from({ length: 2 ** 22 }, (_, i) => 0x3c00 + ((i * 2654435761 * seed) >>> 24));
  const file = await open(join(folder, 'model.safetensors'), 'w');
  await file.write(header);
  for (let left = bytes - header.length; left > 0; left -= values.byteLength) {
    await file.write(new Uint8Array(values.buffer, 0, Math.min(left, values.byteLength)));
  }
  // On the disk before anything is measured: writing it back later would hold up what is.
  await file.sync();
  await file.close();
}

/** The best wall times of several kinds of work in seconds, taken in turns, so that a busy moment hits all alike. */
async function best<K extends string>(
  works: Readonly<Record<K, () => Promise<unknown>>>,
): Promise<Record<K, number>> {
  const shortest = {} as Record<K, number>;
  for (let i = 0; i < repetitions; i++) {
    for (const [name, work] of Object.entries(works) as [K, () => Promise<unknown>][]) {
      const start = performance.now();
      await work();
      const seconds = (performance.now() - start) / 1000;
      shortest[name] = Math.min(shortest[name] ?? seconds, seconds);
    }
  }
  return shortest;
}

async function main(): Promise<void> {
  if (!existsSync(cli)) throw new Error('dist/cli.js is missing; run `npm run build` first');
  const folder = await mkdtemp(join(tmpdir(), 'merge-bench-'));
  try {
    const models = ['base', 'a', 'b'].map((name) => join(folder, name));
    for (const [index, model] of models.entries()) await writeModel(model, index + 1);
    const [base, a, b] = models as [string, string, string];
    const weighted = (model: string, weight: number) => ({ model, parameters: { weight } });
    const recipes = {
      linear: {
        recipe: { merge_method: 'linear', models: [weighted(a, 0.4), weighted(b, 0.6)] },
        inputs: [a, b],
      },
      task_arithmetic: {
        recipe: {
          merge_method: 'task_arithmetic',
          base_model: base,
          models: [weighted(a, 0.4), weighted(b, 0.6)],
        },
        inputs: [base, a, b],
      },
    };
    console.log(
      '| method | copy s | merge s | merge / copy | ns / element | GB/s | peak MB | mergekit s | faster |',
    );
    console.log('|---|---|---|---|---|---|---|---|---|');
    for (const [name, { recipe, inputs }] of Object.entries(recipes)) {
      const file = join(folder, `${name}.yml`);
      await writeFile(file, stringify(recipe));
      const out = join(folder, 'out');
      let result = { parameters: 0, bytesRead: 0, bytesWritten: 0, peakRssBytes: 0 };
      const sources = inputs.map((model) => `${model}/model.safetensors`).join(' ');
      const copied = join(folder, 'copy');
      const copying = `cat ${sources} > /dev/null && cat ${out}/model.safetensors > ${copied} && sync ${copied}`;
      const { merge, copy } = await best({
        merge: async () => {
          const { stdout } = await run(process.execPath, [cli, 'merge', file, out, '--json']);
          result = JSON.parse(stdout);
        },
        copy: async () => {
          await rm(copied, { force: true });
          await run('sh', ['-c', copying]);
        },
      });
      const theirs = python === undefined ? undefined : await mergekit(python, file, join(folder, 'theirs'));
      const cells = [
        name,
        copy.toFixed(2),
        merge.toFixed(2),
        (merge / copy).toFixed(2),
        ((merge * 1e9) / result.parameters).toFixed(2),
        ((result.bytesRead + result.bytesWritten) / merge / 1e9).toFixed(2),
        (result.peakRssBytes / 1e6).toFixed(0),
        theirs?.toFixed(1) ?? '–',
        theirs === undefined ? '–' : `${(theirs / merge).toFixed(1)}×`,
      ];
      console.log(`| ${cells.join(' | ')} |`);
    }
    console.log(
      `\n${(shapeParameters() / 1e9).toFixed(2)}B parameters in bf16, best of ${repetitions}, Node ${process.version}`,
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function shapeParameters(): number {
  return specs().reduce(
    (sum, { shape: sizes }) => sum + sizes.reduce((product, size) => product * size, 1),
    0,
  );
}

/** mergekit with its fastest settings on a CPU, its result on the disk as well. */
async function mergekit(python: string, recipe: string, out: string): Promise<number> {
  const settings = ['--quiet', '-j', '2', '--no-copy-tokenizer', '--async-write', '--out-shard-size', '200M'];
  const env = { ...process.env, HF_HUB_OFFLINE: '1' };
  const { theirs } = await best({
    theirs: async () => {
      await rm(out, { recursive: true, force: true });
      await run(join(dirname(python), 'mergekit-yaml'), [recipe, out, ...settings], {
        env,
        cwd: dirname(recipe),
      });
      await run('sh', ['-c', `sync ${out}/*`]);
    },
  });
  return theirs;
}

await main();
