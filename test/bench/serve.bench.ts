// How fast checkpoints run against transformers on the same CPU with as many threads, and how many requests the
// server answers. Prints Markdown.
//   node test/bench/serve.bench.ts [LAYERS]
// It writes a Llama-shaped checkpoint of bf16 (8 layers: 0.1B parameters, 0.2 GB) to the temporary folder. With
// SUBMISSION_STUDIO_PEERS (a Python with transformers) the peer is measured in turn with us; the best of each counts.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { mediaPath } from '../../src/base/index.ts';
import { layOutSafetensors, type TensorSpec } from '../../src/checkpoint/index.ts';
import { type LanguageModel, loadModel } from '../../src/model/index.ts';
import { serveCheckpoint } from '../../src/serve/index.ts';
import { llamaShapes, toBf16 } from '../support/checkpoints.ts';

const python = process.env.SUBMISSION_STUDIO_PEERS;
const repetitions = 3;
const [promptTokens, newTokens] = [512, 48];
const shape = { hidden: 768, vocabulary: 32000, layers: Number(process.argv[2] ?? 8) };

async function writeModel(folder: string): Promise<number> {
  await mkdir(folder, { recursive: true });
  const config = {
    architectures: ['LlamaForCausalLM'],
    model_type: 'llama',
    hidden_size: shape.hidden,
    intermediate_size: shape.hidden * 2,
    num_hidden_layers: shape.layers,
    num_attention_heads: 12,
    num_key_value_heads: 6,
    vocab_size: shape.vocabulary,
    max_position_embeddings: 2048,
    eos_token_id: null,
    bos_token_id: null,
    torch_dtype: 'bfloat16',
  };
  await writeFile(join(folder, 'config.json'), JSON.stringify(config));
  await writeFile(join(folder, 'tokenizer.json'), await readFile(mediaPath('demo/base/tokenizer.json')));
  const specs = Object.entries(llamaShapes(shape)).map(
    ([name, sizes]): TensorSpec => ({
      name,
      dtype: 'BF16',
      shape: sizes,
    }),
  );
  const { header, tensors } = layOutSafetensors(specs);
  // Any finite values do, as long as the layers do not blow up.
  const random = Uint16Array.from({ length: 2 ** 16 }, () => toBf16((Math.random() - 0.5) * 0.06));
  const ones = new Uint16Array(shape.hidden).fill(toBf16(1));
  const file = await open(join(folder, 'model.safetensors'), 'w');
  await file.write(header);
  for (const { name, begin, end } of tensors) {
    const values = new Uint8Array((name.includes('norm') ? ones : random).buffer);
    for (let at = begin; at < end; at += values.length) {
      await file.write(values, 0, Math.min(values.length, end - at), at);
    }
  }
  await file.sync();
  await file.close();
  return specs.reduce((sum, { shape: sizes }) => sum + sizes.reduce((product, size) => product * size, 1), 0);
}

/** The demo's expert, but it never ends a text by itself. */
async function endlessDemo(folder: string): Promise<string> {
  await cp(mediaPath('demo/expert-1'), folder, { recursive: true });
  await rm(join(folder, 'generation_config.json'));
  const config = JSON.parse(await readFile(join(folder, 'config.json'), 'utf8'));
  await writeFile(join(folder, 'config.json'), JSON.stringify({ ...config, eos_token_id: null }));
  return folder;
}

/** Answers one line of JSON with the seconds of each kind of work. */
const peerProgram = `
import json, sys, time, torch, transformers
transformers.utils.logging.set_verbosity_error()
torch.set_num_threads(int(sys.argv[2]))
started = time.perf_counter()
model = transformers.AutoModelForCausalLM.from_pretrained(sys.argv[1], dtype=torch.float32)
model.eval()
print(json.dumps({"open": time.perf_counter() - started}), flush=True)
for line in sys.stdin:
    prompts, new = json.loads(line)
    seconds = []
    with torch.inference_mode():
        for prompt in prompts:
            ids = torch.tensor([prompt])
            started = time.perf_counter()
            model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=new, min_new_tokens=new,
                           do_sample=False, pad_token_id=0)
            seconds.append(time.perf_counter() - started)
    print(json.dumps(seconds), flush=True)
`;

/** transformers in a process of its own, asked line by line. */
class Peer {
  private readonly child: ChildProcess;
  private readonly lines: AsyncIterator<string>;

  constructor(executable: string, folder: string, threads: number) {
    this.child = spawn(executable, ['-c', peerProgram, folder, String(threads)], {
      stdio: ['pipe', 'pipe', 'ignore'],
      env: { ...process.env, HF_HUB_OFFLINE: '1' },
    });
    this.lines = createInterface({ input: this.child.stdout as NodeJS.ReadableStream })[
      Symbol.asyncIterator
    ]();
  }

  async read<T>(): Promise<T> {
    const { value, done } = await this.lines.next();
    if (done) throw new Error('the peer ended');
    return JSON.parse(value);
  }

  generate(prompts: readonly (readonly number[])[], count: number): Promise<number[]> {
    this.child.stdin?.write(`${JSON.stringify([prompts, count])}\n`);
    return this.read<number[]>();
  }

  async close(): Promise<void> {
    this.child.stdin?.end();
    await once(this.child, 'close');
  }
}

let salt = 0;

/** A prompt that shares nothing with any before it. */
function freshPrompt(length: number, vocabulary: number): number[] {
  salt++;
  return Array.from({ length }, (_, i) => 1 + ((i * 7919 + salt * 104729) % (vocabulary - 1)));
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return (performance.now() - startedAt) / 1000;
}

async function ours(model: LanguageModel, tokens: readonly number[], maxNewTokens: number): Promise<number> {
  const request = { tokens, maxNewTokens, temperature: 0, topP: 1, topK: 1, stop: [], echo: false };
  return seconds(() => model.generate(request));
}

async function peakBytes(pid: number | undefined): Promise<string> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const kilobytes = /VmHWM:\s+(\d+)/.exec(status)?.[1];
  return kilobytes === undefined ? '–' : `${(Number(kilobytes) / 1e6).toFixed(2)} GB`;
}

const ratio = (own: number, theirs: number | undefined) => (theirs ? `${(own / theirs).toFixed(2)}×` : '–');
const number = (value: number | undefined) => (value === undefined ? '–' : value.toPrecision(3));

async function compareModel(
  name: string,
  folder: string,
  vocabulary: number,
  threads: number,
): Promise<void> {
  let model: LanguageModel | undefined;
  const open = await seconds(async () => {
    model = await loadModel(folder, { threads });
  });
  if (!model) return;
  const peer = python === undefined ? undefined : new Peer(python, folder, threads);
  const peerOpen = (await peer?.read<{ open: number }>())?.open;
  const fastest = { prefill: 0, decode: 0, peerPrefill: 0, peerDecode: 0 };
  const record = (one: number, all: number) => ({
    prefill: promptTokens / one,
    decode: newTokens / (all - one),
  });
  for (let i = 0; i < repetitions + 1; i++) {
    const prompt = freshPrompt(promptTokens, vocabulary);
    const other = freshPrompt(promptTokens, vocabulary);
    const own = record(await ours(model, prompt, 1), await ours(model, other, newTokens + 1));
    const [one] = (await peer?.generate([prompt], 1)) ?? [];
    const [all] = (await peer?.generate([other], newTokens + 1)) ?? [];
    // The first round warms up.
    if (i === 0) continue;
    fastest.prefill = Math.max(fastest.prefill, own.prefill);
    fastest.decode = Math.max(fastest.decode, own.decode);
    if (one === undefined || all === undefined) continue;
    fastest.peerPrefill = Math.max(fastest.peerPrefill, record(one, all).prefill);
    fastest.peerDecode = Math.max(fastest.peerDecode, record(one, all).decode);
  }
  const cells = [
    ...[name, threads, number(open), number(peerOpen)],
    ...[number(fastest.prefill), number(fastest.peerPrefill || undefined)],
    ratio(fastest.prefill, fastest.peerPrefill),
    ...[number(fastest.decode), number(fastest.peerDecode || undefined)],
    ratio(fastest.decode, fastest.peerDecode),
    await peakBytes(model.pid),
  ];
  console.log(`| ${cells.join(' | ')} |`);
  await model.close();
  await peer?.close();
}

/** Prompts as HELM makes them of the demo's tasks: with examples before the question, and without. */
function demoPrompts(examples: number, count: number): string[] {
  const letters = 'abcdefghijklmnopqrstuvwxyz';
  let state = 7;
  const below = (limit: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
  const word = () => Array.from({ length: 4 + below(3) }, () => letters[below(26)]).join('');
  const shots = Array.from({ length: examples }, () => `Reverse: ${word()}\nAnswer: ${word()}\n\n`).join('');
  return Array.from({ length: count }, () => `${shots}Reverse: ${word()}\nAnswer:`);
}

async function serveDemo(): Promise<void> {
  const server = await serveCheckpoint({ checkpoint: mediaPath('demo/expert-1'), port: 0 });
  const post = async (prompt: string) => {
    const body = {
      prompt,
      temperature: 1e-7,
      max_new_tokens: 12,
      top_k_per_token: 1,
      stop_sequences: ['\n'],
    };
    const response = await fetch(`${server.url}/process`, { method: 'POST', body: JSON.stringify(body) });
    return (await response.json()) as { tokens: unknown[] };
  };
  console.log('\n| prompts | new tokens a request | requests/s, 4 at once |\n|---|---|---|');
  for (const [name, examples] of [
    ['zero-shot', 0],
    ['1 example', 1],
    ['5 examples', 5],
  ] as const) {
    const prompts = demoPrompts(examples, 400);
    let [fastest, tokens] = [0, 0];
    for (let i = 0; i < repetitions; i++) {
      const queue = [...prompts];
      tokens = 0;
      const elapsed = await seconds(() =>
        Promise.all(
          Array.from({ length: 4 }, async () => {
            for (let prompt = queue.pop(); prompt !== undefined; prompt = queue.pop()) {
              const answer = await post(prompt);
              tokens += answer.tokens.length;
            }
          }),
        ),
      );
      fastest = Math.max(fastest, prompts.length / elapsed);
    }
    console.log(`| ${name} | ${(tokens / prompts.length).toFixed(1)} | ${fastest.toFixed(0)} |`);
  }
  await server.stop();
}

const folder = await mkdtemp(join(tmpdir(), 'serve-bench-'));
try {
  const parameters = await writeModel(folder);
  console.log(
    '| model | threads | open s | peer | prefill tok/s | peer | ratio | decode tok/s | peer | ratio | peak memory |',
  );
  console.log('|---|---|---|---|---|---|---|---|---|---|---|');
  await compareModel('demo expert-1', await endlessDemo(join(folder, 'demo')), 272, 1);
  for (const threads of [1, 2]) {
    await compareModel(`${(parameters / 1e9).toFixed(2)}B bf16`, folder, shape.vocabulary, threads);
  }
  await serveDemo();
  console.log(
    `\n${promptTokens} prompt tokens, ${newTokens} new ones, best of ${repetitions}, Node ${process.version}; peer: transformers in f32`,
  );
} finally {
  await rm(folder, { recursive: true, force: true });
}
