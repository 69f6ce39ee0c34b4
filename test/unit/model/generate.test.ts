import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { mediaPath, UserError } from '../../../src/base/index.ts';
import { Decoder } from '../../../src/model/decoder.ts';
import { generate } from '../../../src/model/generate.ts';
import {
  type GenerateRequest,
  type LanguageModel,
  loadModel,
  loadTokenizer,
} from '../../../src/model/index.ts';
import { llamaConfig, llamaTensors, tensor, writeCheckpoint } from '../../support/checkpoints.ts';
import { temporaryFolder } from '../../support/temporary.ts';

const greedy = { temperature: 1e-7, topP: 1, topK: 0, stop: [], echo: false, maxNewTokens: 12 } as const;

describe('the demo’s experts', () => {
  let model: LanguageModel;
  const ask = (prompt: string, changes: Partial<GenerateRequest> = {}) =>
    model.generate({ ...greedy, tokens: model.tokenize(prompt), ...changes });

  before(async () => {
    model = await loadModel(mediaPath('demo/expert-1'));
  });
  after(() => model.close());

  test('do what they were trained for', async () => {
    const { text, tokens, finish } = await ask('Reverse: ziwaj\nAnswer:', { stop: ['\n'] });
    assert.equal(text.trim(), 'jawiz');
    assert.equal(finish, 'stop');
    assert.equal(tokens.map((token) => token.text).join(''), text);
  });

  test('the ending token ends the text and is none of its tokens', async () => {
    const { text, tokens, finish } = await ask('Reverse: ziwaj\nAnswer:');
    assert.equal(finish, 'endoftext');
    assert.equal(text.trim(), 'jawiz');
    assert.ok(tokens.every(({ id }) => id !== 0));
  });

  test('an answer does not depend on what was asked before, to the last bit', async () => {
    const shots = (count: number) => 'Reverse: abc\nAnswer: cba\n\n'.repeat(count);
    const prompts = [0, 5, 20, 21, 40].map((count) => `${shots(count)}Reverse: ziwaj\nAnswer:`);
    const lengths = prompts.map((prompt) => model.tokenize(prompt).length);
    assert.ok(
      lengths.some((length) => length > 200),
      `prompts of ${lengths} tokens`,
    );
    const answers = (prompt: string) => ask(prompt, { topK: 3 });
    const first: unknown[] = [];
    for (const prompt of prompts) {
      await ask('Shift: q\nAnswer:');
      first.push(await answers(prompt));
    }
    for (const order of [
      [4, 3, 2, 1, 0],
      [2, 2, 3, 4, 1],
    ]) {
      for (const index of order) assert.deepEqual(await answers(prompts[index] ?? ''), first[index]);
    }
    // What is shared is not computed again, and changes nothing: with echo all of the prompt is.
    const echoed = await ask(prompts[4] ?? '', { topK: 3, echo: true });
    assert.equal(echoed.text, ((await answers(prompts[4] ?? '')) as { text: string }).text);
  });

  test('a stop sequence across tokens cuts before its first letter', async () => {
    const { text, tokens, finish } = await ask('Reverse: ziwaj\nAnswer:', { stop: ['zzz', 'wiz', 'iz\n'] });
    assert.equal(text, ' ja');
    assert.equal(finish, 'stop');
    assert.equal(tokens.map((token) => token.text).join(''), ' ja');
  });

  test('the likeliest candidates come first and hold what was chosen', async () => {
    const { tokens } = await ask('Reverse: ziwaj\nAnswer:', { topK: 4 });
    for (const { id, logprob, top } of tokens) {
      assert.equal(top.length, 4);
      assert.equal(top[0]?.id, id);
      assert.equal(top[0]?.logprob, logprob);
      const logprobs = top.map((candidate) => candidate.logprob);
      assert.deepEqual(
        logprobs,
        [...logprobs].sort((a, b) => b - a),
      );
      assert.ok(logprobs.every((value) => Number.isFinite(value) && value <= 0));
    }
    const more = await ask('Reverse: ziwaj\nAnswer:', { topK: 100000, maxNewTokens: 1 });
    assert.equal(more.tokens[0]?.top.length, 272);
  });

  test('echo gives the prompt’s tokens with their own log-probabilities', async () => {
    const prompt = 'Reverse: ziwaj\nAnswer: jawiz\n';
    const { promptTokens, tokens, text } = await ask(prompt, { echo: true, maxNewTokens: 0 });
    assert.equal(promptTokens.map((token) => token.text).join(''), prompt);
    assert.equal(promptTokens[0]?.logprob, 0);
    assert.deepEqual([tokens.length, text], [0, '']);
    // What the model would have written itself is likely, the word it was given is not.
    const likely = promptTokens.slice(-6, -1).map(({ logprob }) => logprob);
    assert.ok(
      likely.every((logprob) => logprob > -1),
      String(likely),
    );
  });

  test('sampling repeats with its seed and differs without', async () => {
    const sample = (seed?: number) =>
      ask('Question:', { temperature: 3, maxNewTokens: 30, ...(seed === undefined ? {} : { seed }) });
    const [first, second, other] = [await sample(1), await sample(1), await sample(2)];
    assert.equal(first.text, second.text);
    assert.notEqual(first.text, other.text);
    const several = new Set(await Promise.all(Array.from({ length: 4 }, async () => (await sample()).text)));
    assert.ok(several.size > 1);
  });

  test('a completion ends where the context does, a prompt beyond it is refused', async () => {
    const letters = (count: number) => Array.from({ length: count }, (_, index) => 65 + (index % 20));
    const full = { tokens: letters(2045), maxNewTokens: 400, temperature: 5 };
    const { tokens, finish } = await ask('', { ...full, seed: 3 });
    assert.ok(tokens.length <= 3 && (tokens.length === 3) === (finish === 'length'));
    for (const length of [2048, 5000]) {
      await assert.rejects(ask('', { tokens: letters(length) }), (error) => {
        assert.ok(error instanceof UserError);
        assert.equal(error.kind, 'usage');
        assert.match(error.message, new RegExp(`${length} tokens.*2048`));
        return true;
      });
    }
    const whole = await ask('', { tokens: letters(2048), maxNewTokens: 0, echo: true });
    assert.equal(whole.promptTokens.length, 2048);
  });

  test('an empty prompt begins with the beginning token', async () => {
    const { tokens, promptTokens } = await ask('', { temperature: 1, seed: 1, echo: true });
    assert.ok(tokens.every(({ logprob }) => logprob <= 0));
    assert.deepEqual(promptTokens, []);
  });

  test('a token that is none is refused', async () => {
    await assert.rejects(ask('', { tokens: [1, 272] }), /token 272 is not one of the model's 272/);
    assert.throws(() => model.decode([99999]), /token 99999/);
  });

  test('requests are answered in turn, also when some are cancelled', async () => {
    const long = { temperature: 5, maxNewTokens: 500, seed: 1 };
    const cancelled = new AbortController();
    const already = new AbortController();
    already.abort();
    const slow = model.generate({ ...greedy, ...long, tokens: [66] }, { signal: cancelled.signal });
    const waiting = model.generate({ ...greedy, tokens: [66] }, { signal: cancelled.signal });
    const after = ask('Reverse: ziwaj\nAnswer:', { stop: ['\n'] });
    const refused = [slow, waiting].map((request) =>
      assert.rejects(request, (error) => error instanceof UserError && error.kind === 'cancelled'),
    );
    cancelled.abort();
    await Promise.all(refused);
    assert.equal((await after).text.trim(), 'jawiz');
    await assert.rejects(
      model.generate({ ...greedy, tokens: [66] }, { signal: already.signal }),
      /cancelled/,
    );
  });

  test('progress counts tokens', async () => {
    const seen: number[] = [];
    const request = { ...greedy, tokens: model.tokenize('Reverse: ziwaj\nAnswer:'), maxNewTokens: 4 };
    await model.generate(request, { onProgress: ({ done, total }) => seen.push(done * 10 + total) });
    assert.deepEqual(seen, [14, 24, 34, 44]);
  });
});

test('what prompts share is computed once', async () => {
  const folder = mediaPath('demo/expert-1');
  const [decoder, tokenizer] = [await Decoder.open(folder), await loadTokenizer(folder)];
  const run = decoder.run.bind(decoder);
  let computed = 0;
  decoder.run = (tokens, question) => {
    computed += tokens.length;
    return run(tokens, question);
  };
  const shots = 'Reverse: abc\nAnswer: cba\n\n'.repeat(20);
  const costs: number[] = [];
  for (const word of ['ziwaj', 'abcd', 'efgh']) {
    computed = 0;
    const tokens = tokenizer.encode(`${shots}Reverse: ${word}\nAnswer:`);
    await generate({ decoder, tokenizer, endIds: new Set() }, { ...greedy, tokens, maxNewTokens: 1 });
    costs.push(computed / tokens.length);
  }
  assert.equal(costs[0], 1);
  assert.ok(Math.max(...costs.slice(1)) < 0.3, String(costs));
  await decoder.close();
});

describe('loadModel', () => {
  test('says which provider there is', async () => {
    await assert.rejects(loadModel(mediaPath('demo/base'), { provider: 'cuda' }), (error) => {
      assert.ok(error instanceof UserError);
      assert.equal(error.kind, 'usage');
      assert.match(error.message, /cuda is not available; available: cpu/);
      return true;
    });
  });

  test('hands on what the model’s process finds wrong', async (t) => {
    const folder = await temporaryFolder(t);
    await cp(mediaPath('demo/base'), folder, { recursive: true });
    await writeFile(join(folder, 'config.json'), JSON.stringify({ model_type: 'gpt2' }));
    await assert.rejects(loadModel(folder), (error) => {
      assert.ok(error instanceof UserError);
      assert.equal(error.kind, 'usage');
      assert.equal(error.place.field, 'model_type');
      return true;
    });
  });

  test('can be cancelled', async () => {
    const controller = new AbortController();
    const loading = loadModel(mediaPath('demo/base'), { signal: controller.signal });
    setTimeout(() => controller.abort(), 20);
    await assert.rejects(loading, (error) => error instanceof UserError && error.kind === 'cancelled');
  });

  test('weights that compute NaN are a failure, not an answer', async (t) => {
    const folder = join(await temporaryFolder(t), 'model');
    const norm = tensor('BF16', [16], Array(16).fill(Number.NaN));
    await writeCheckpoint(folder, {
      config: llamaConfig({ vocabulary: 272 }),
      tensors: { ...llamaTensors(1, { vocabulary: 272 }), 'model.norm.weight': norm },
    });
    await cp(mediaPath('demo/base/tokenizer.json'), join(folder, 'tokenizer.json'));
    const model = await loadModel(folder);
    try {
      for (const temperature of [1e-7, 1]) {
        await assert.rejects(
          model.generate({ ...greedy, tokens: [1], temperature }),
          /NaN: its weights are damaged/,
        );
      }
    } finally {
      await model.close();
    }
  });

  test('when its process dies, pending requests fail and say so', async () => {
    const model = await loadModel(mediaPath('demo/base'));
    assert.ok(model.pid);
    const request = model.generate({ ...greedy, tokens: [66], temperature: 5, maxNewTokens: 2000 });
    const refused = assert.rejects(request, (error) => {
      assert.ok(error instanceof UserError);
      assert.equal(error.kind, 'work');
      assert.match(error.message, /process ended/);
      return true;
    });
    process.kill(model.pid, 'SIGKILL');
    await refused;
    assert.match((await model.exited).message ?? '', /process ended/);
    await assert.rejects(model.generate({ ...greedy, tokens: [66] }), /process ended/);
    await model.close();
  });

  test('its process ends with its parent, however that ends', async () => {
    const door = new URL('../../../src/model/index.ts', import.meta.url).href;
    const script = `
      const { loadModel } = await import(${JSON.stringify(door)});
      const model = await loadModel(${JSON.stringify(mediaPath('demo/base'))});
      console.log(model.pid);
      setInterval(() => {}, 1000);`;
    const parent = spawn(process.execPath, ['--input-type=module', '--eval', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = await once(parent.stdout, 'data');
    const pid = Number(String(line).trim());
    assert.ok(isAlive(pid));
    parent.kill('SIGKILL');
    await once(parent, 'exit');
    for (let wait = 0; wait < 100 && isAlive(pid); wait++) await sleep(50);
    assert.equal(isAlive(pid), false);
  });
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
