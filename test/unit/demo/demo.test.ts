import assert from 'node:assert/strict';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { Tokenizer } from '@huggingface/tokenizers';
import { parse } from 'yaml';
import { z } from 'zod';
import { mediaPath } from '../../../src/base/entries.ts';
import { nastyTexts } from './texts.ts';

const checkpoints = ['base', 'expert-1', 'expert-2'];
const alphabet = 'abcdefghijklmnopqrstuvwxyz';
const answers: Record<string, (word: string) => string> = {
  reverse: (word) => [...word].reverse().join(''),
  shift: (word) => word.replace(/./g, (letter) => alphabet.charAt((alphabet.indexOf(letter) + 1) % 26)),
};

const taskSchema = z.strictObject({
  id: z.string(),
  name: z.enum(['reverse', 'shift']),
  title: z.string().min(1),
  instructions: z.literal(''),
  input_prefix: z.string(),
  input_suffix: z.string(),
  output_prefix: z.string(),
  output_suffix: z.string(),
  stop: z.tuple([z.literal('\n')]),
  max_tokens: z.int(),
});
const demoSchema = z.strictObject({
  tasks: z.tuple([taskSchema, taskSchema]),
  recipe: z.looseObject({ base_model: z.string(), models: z.array(z.looseObject({ model: z.string() })) }),
});
const instanceSchema = z.strictObject({
  input: z.strictObject({ text: z.string() }),
  references: z.tuple([
    z.strictObject({ output: z.strictObject({ text: z.string() }), tags: z.tuple([z.literal('correct')]) }),
  ]),
  split: z.literal('test'),
  id: z.string(),
});
const exampleSchema = z.strictObject({ prompt: z.string(), completion: z.string() });

type Task = z.infer<typeof taskSchema>;

const read = (file: string): Promise<string> => readFile(mediaPath(`demo/${file}`), 'utf8');
const readDemo = async () => demoSchema.parse(JSON.parse(await read('demo.json')));

async function readLines<T>(file: string, schema: z.ZodType<T>): Promise<T[]> {
  const lines = (await read(file)).split('\n');
  assert.equal(lines.pop(), '', `${file} ends with a newline`);
  return lines.map((line) => schema.parse(JSON.parse(line)));
}

const instancesOf = (task: Task) => readLines(`tasks/${task.id}.jsonl`, instanceSchema);
const examplesOf = (task: Task) => readLines(`train/${task.id}.jsonl`, exampleSchema);

const prompt = (task: Task, word: string): string =>
  `${task.input_prefix}${word}${task.input_suffix}${task.output_prefix.trimEnd()}`;

async function safetensorsHeader(file: string): Promise<{ header: Record<string, unknown>; bytes: number }> {
  const content = await readFile(mediaPath(`demo/${file}`));
  const length = Number(content.readBigUInt64LE());
  return { header: JSON.parse(content.toString('utf8', 8, 8 + length)), bytes: content.length };
}

describe('demo tasks', () => {
  it('have at least 200 held-out instances each, all different and rightly answered', async () => {
    for (const task of (await readDemo()).tasks) {
      const instances = await instancesOf(task);
      assert.ok(instances.length >= 200);
      assert.equal(new Set(instances.map(({ id }) => id)).size, instances.length);
      assert.equal(new Set(instances.map(({ input }) => input.text)).size, instances.length);
      for (const { input, references } of instances) {
        assert.match(input.text, /^[a-z]+$/);
        assert.equal(references[0].output.text, answers[task.name]?.(input.text));
        assert.notEqual(references[0].output.text, input.text, 'copying the input is no answer');
        assert.ok(input.text.length + 2 <= task.max_tokens, 'the answer, its space and the stop fit');
      }
    }
  });

  it('train on right answers, in the words of the adapter', async () => {
    for (const task of (await readDemo()).tasks) {
      const examples = await examplesOf(task);
      assert.ok(examples.length >= 1000);
      for (const { prompt: given, completion } of examples) {
        const word = given.slice(task.input_prefix.length).split('\n', 1)[0] ?? '';
        assert.equal(given, prompt(task, word));
        assert.equal(completion, ` ${answers[task.name]?.(word)}${task.output_suffix}`);
      }
    }
  });

  it('share no word between training and held-out instances, across the tasks too', async () => {
    const { tasks } = await readDemo();
    const trained = (await Promise.all(tasks.map(examplesOf))).flat().map((example) => example.prompt);
    const heldOut = (await Promise.all(tasks.map(instancesOf))).flat().map(({ input }) => input.text);
    assert.equal(new Set(heldOut).size, heldOut.length, 'no word is held out twice');
    const possible = new Set(heldOut.flatMap((word) => tasks.map((task) => prompt(task, word))));
    assert.deepEqual(
      trained.filter((given) => possible.has(given)),
      [],
    );
  });

  it('carry the recipe that merges the experts', async () => {
    const { recipe } = await readDemo();
    assert.deepEqual(recipe, parse(await read('recipe.yml')));
    const named = [recipe.base_model, ...recipe.models.map(({ model }) => model)];
    assert.deepEqual(
      named.sort(),
      checkpoints.map((name) => `models/${name}`),
    );
  });
});

describe('demo checkpoints', () => {
  it('are Llama checkpoints in Hugging Face layout, small enough to ship', async () => {
    const files = [
      'config.json',
      'generation_config.json',
      'model.safetensors',
      'tokenizer.json',
      'tokenizer_config.json',
    ];
    for (const name of checkpoints) {
      assert.deepEqual((await readdir(mediaPath(`demo/${name}`))).sort(), files);
      const config = JSON.parse(await read(`${name}/config.json`));
      assert.deepEqual(config.architectures, ['LlamaForCausalLM']);
      assert.equal(config.model_type, 'llama');
      assert.equal(config.max_position_embeddings, 2048);
      assert.equal(config.torch_dtype, 'bfloat16');
      assert.equal(config.head_dim % 8, 0);
      const { header, bytes } = await safetensorsHeader(`${name}/model.safetensors`);
      const { __metadata__: metadata, ...tensors } = header;
      assert.deepEqual(metadata, { format: 'pt' });
      const dtypes = z.record(z.string(), z.looseObject({ dtype: z.string() })).parse(tensors);
      assert.deepEqual([...new Set(Object.values(dtypes).map(({ dtype }) => dtype))], ['BF16']);
      assert.ok(bytes < 1.5e6, `${name} has ${bytes} bytes`);
    }
    const paths = await readdir(mediaPath('demo'), { recursive: true });
    const sizes = await Promise.all(
      paths.map(async (path) => (await stat(join(mediaPath('demo'), path))).size),
    );
    assert.ok(sizes.reduce((sum, size) => sum + size) < 4.5e6);
  });

  it('differ in their weights and in nothing else', async () => {
    const contents = async (file: string) =>
      new Set(
        await Promise.all(checkpoints.map((name) => readFile(mediaPath(`demo/${name}/${file}`), 'latin1'))),
      );
    for (const file of ['config.json', 'generation_config.json', 'tokenizer.json', 'tokenizer_config.json'])
      assert.equal((await contents(file)).size, 1, file);
    assert.equal((await contents('model.safetensors')).size, checkpoints.length);
    const headers = await Promise.all(
      checkpoints.map((name) => safetensorsHeader(`${name}/model.safetensors`)),
    );
    assert.deepEqual(headers[1], headers[0]);
    assert.deepEqual(headers[2], headers[0]);
  });

  it('have a tokenizer in which any text round-trips', async () => {
    const tokenizer = new Tokenizer(
      JSON.parse(await read('base/tokenizer.json')),
      JSON.parse(await read('base/tokenizer_config.json')),
    );
    for (const text of nastyTexts()) assert.equal(tokenizer.decode(tokenizer.encode(text).ids), text);
    assert.deepEqual(tokenizer.encode('').ids, []);
    assert.equal(
      tokenizer.token_to_id('<|endoftext|>'),
      JSON.parse(await read('base/config.json')).eos_token_id,
    );
  });
});
