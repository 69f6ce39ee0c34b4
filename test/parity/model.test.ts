import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { loadModel, loadTokenizer } from '../../src/model/index.ts';

// The same checkpoints and tokenizers through transformers and through us.

const python = process.env.SUBMISSION_STUDIO_PEERS;
const skip = python ? false : 'SUBMISSION_STUDIO_PEERS names no Python with transformers';
const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

const tokenizerNames = ['gpt2', 'llama3', 'qwen', 'sentencepiece', 'metaspace', 'demo'];
const demos = ['base', 'expert-1', 'expert-2'];
const modelNames = [
  'llama bf16',
  'llama f16 sharded',
  'llama tied, llama3 scaling as before transformers 5',
  'llama with biases, linear scaling, one key head, head size apart',
  'mistral with a window',
  'mistral without a window',
  'qwen2 tied, window from the second layer',
  'qwen3',
  ...demos.map((demo) => `demo ${demo}`),
];

interface TokenizerReference {
  readonly name: string;
  readonly folder: string;
  readonly texts: readonly {
    readonly text: string;
    readonly ids: readonly number[];
    readonly decoded: string;
    readonly completion: string;
    readonly cut: string;
  }[];
}

interface ModelReference {
  readonly name: string;
  readonly folder: string;
  readonly prompts: readonly {
    readonly prompt: string;
    readonly ids: readonly number[];
    readonly text: string;
    readonly promptLogprobs: readonly number[];
    readonly logprobs: readonly number[];
    readonly top: Readonly<Record<string, number>>;
    readonly eos: number | null;
  }[];
}

let folder: string | undefined;
let references: { tokenizers: TokenizerReference[]; models: ModelReference[] } = {
  tokenizers: [],
  models: [],
};

before(async () => {
  if (!python) return;
  folder = await mkdtemp(join(tmpdir(), 'submission-parity-'));
  const { stdout } = await promisify(execFile)(
    python,
    [here('transformers-references.py'), folder, ...demos.map((demo) => here(`../../media/demo/${demo}`))],
    { maxBuffer: 2 ** 28, env: { ...process.env, HF_HUB_OFFLINE: '1' } },
  );
  references = JSON.parse(stdout);
});

after(async () => {
  if (folder) await rm(folder, { recursive: true, force: true });
});

function close(actual: number | undefined, expected: number | undefined, what: string): void {
  assert.ok(
    actual !== undefined && expected !== undefined && Math.abs(actual - expected) < 1e-3,
    `${what}: ${actual}, transformers has ${expected}`,
  );
}

describe('tokenizers', () => {
  for (const name of tokenizerNames) {
    test(name, { skip }, async () => {
      const reference = references.tokenizers.find((candidate) => candidate.name === name);
      assert.ok(reference);
      const tokenizer = await loadTokenizer(reference.folder);
      for (const { text, ids, decoded, completion, cut } of reference.texts) {
        const what = `${name}: ${JSON.stringify(text)}`;
        const encoded = tokenizer.encode(text);
        assert.deepEqual(encoded, ids, what);
        assert.equal(tokenizer.decode(encoded), decoded, what);
        const [begin, end] = tokenizer.ownRange(encoded);
        const own = encoded.slice(begin, end);
        assert.equal(tokenizer.decodeCompletion(own), completion, what);
        assert.equal(tokenizer.decodeCompletion(own.slice(0, Math.floor(own.length / 2))), cut, what);
      }
    });
  }
});

describe('models', () => {
  for (const name of modelNames) {
    test(name, { skip }, async () => {
      const reference = references.models.find((candidate) => candidate.name === name);
      assert.ok(reference);
      const model = await loadModel(reference.folder);
      try {
        for (const expected of reference.prompts) {
          const { prompt, ids, eos } = expected;
          const request = { temperature: 1e-7, topP: 1, topK: 5, stop: [], maxNewTokens: 24 };
          const tokens = model.tokenize(prompt);
          const what = `${name}: ${JSON.stringify(prompt.slice(0, 30))}`;
          // Twice: with the prompt's own log-probabilities, and going on from what the cache holds of the first time.
          const echoed = await model.generate({ ...request, tokens, echo: true });
          const plain = await model.generate({ ...request, tokens, echo: false });
          for (const generation of [echoed, plain]) {
            const generated = generation.tokens.map(({ id }) => id);
            assert.deepEqual(
              generated,
              ids.filter((id) => id !== eos),
              what,
            );
            assert.equal(generation.text, expected.text, what);
            for (const [index, { logprob }] of generation.tokens.entries()) {
              close(logprob, expected.logprobs[index], `${what}, token ${index}`);
            }
            for (const { id, logprob } of generation.tokens[0]?.top ?? []) {
              close(logprob, expected.top[id], `${what}, candidate ${id}`);
            }
          }
          assert.equal(echoed.promptTokens.length, expected.promptLogprobs.length);
          for (const [index, { logprob }] of echoed.promptTokens.entries()) {
            close(logprob, expected.promptLogprobs[index], `${what}, prompt token ${index}`);
          }
        }
      } finally {
        await model.close();
      }
    });
  }
});
