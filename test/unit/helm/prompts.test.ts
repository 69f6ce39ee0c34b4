import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { adapterDefaults, generation, multipleChoiceJoint } from '../../../src/helm/adapter-specs.ts';
import { parseRunEntries } from '../../../src/helm/conf/entries.ts';
import { expandEntries } from '../../../src/helm/conf/run-specs.ts';
import { chooseInstances, sampleExamples, withIds } from '../../../src/helm/prompt/examples.ts';
import { buildRequests, processBody, processRequest } from '../../../src/helm/prompt/requests.ts';
import { unlimitedWindow, type WindowTokenizer } from '../../../src/helm/prompt/window.ts';
import type { AdapterSpec, Instance } from '../../../src/helm/spec.ts';
import { golden } from './golden.ts';

async function request(...args: Parameters<typeof buildRequests>) {
  const [built, ...rest] = await buildRequests(...args);
  assert.ok(built && rest.length === 0);
  return built;
}

const choice = 'The following are multiple choice questions (with answers)';
const bigBench = { ...adapterDefaults, num_outputs: 1, max_tokens: 64, temperature: 0 };

const adapters: Readonly<Record<string, AdapterSpec>> = {
  mmlu: multipleChoiceJoint({
    instructions: `${choice} about sky items.`,
    input: 'Question',
    output: 'Answer',
  }),
  truthful_qa: multipleChoiceJoint({ instructions: '', input: 'Question', output: 'Answer' }),
  bbq: multipleChoiceJoint({ instructions: `${choice}.`, input: 'Passage', output: 'Answer' }),
  gsm: generation({ input: 'Q', output: 'A', maxTokens: 400, stop: ['\n\n'] }),
  summarization_cnndm: {
    ...adapterDefaults,
    input_prefix: '###\nArticle: ',
    input_suffix: '\n\n',
    output_prefix: 'Summarize the above article in 3 sentences.\n',
    num_outputs: 1,
    max_tokens: 128,
    temperature: 0.3,
    stop_sequences: ['###'],
  },
  big_bench_mc: {
    ...bigBench,
    method: 'multiple_choice_joint',
    instructions: 'Choose well.\n',
    input_prefix: 'Question: ',
    output_prefix: 'Answer: ',
    max_train_instances: 3,
  },
  big_bench_gen_zero: {
    ...bigBench,
    input_prefix: '\nQ: ',
    output_prefix: '\nA: ',
    max_train_instances: 0,
    stop_sequences: ['.'],
  },
};

function instances(kind: 'mc_instances' | 'gen_instances'): Instance[] {
  return golden.prompts[kind].map(({ id, split, input, references }) => ({
    id,
    split,
    input: { text: input },
    references: references.map(({ text, tags }) => ({ output: { text }, tags })),
  }));
}

test('prompts, examples and bodies are HELM’s, for every adapter of the challenge', async () => {
  for (const expected of golden.prompts.cases) {
    const adapter = adapters[expected.case] ?? assert.fail(expected.case);
    const all = instances(adapter.method === 'generation' ? 'gen_instances' : 'mc_instances');
    const { train } = chooseInstances(all, adapter);
    const examples = sampleExamples(train, adapter, expected.train_trial_index);
    assert.deepEqual(
      examples.map(({ id }) => id),
      expected.train_ids_in_prompt,
    );
    const instance = all.find(({ id }) => id === expected.eval_id) ?? assert.fail();
    const { state } = await request(instance, examples, expected.train_trial_index, adapter, unlimitedWindow);
    assert.deepEqual(processRequest(state.request), expected.process_body);
    assert.deepEqual(state.output_mapping ?? null, expected.output_mapping);
  }
});

test('the offline scenarios ask what HELM asks, instance by instance', async () => {
  const runs = Object.keys(golden.builtin_offline_prompt_hashes);
  assert.ok(runs.length >= 6);
  for (const name of runs) {
    // The run's name tells its entry, but for the brackets' number and the groups.
    const description = name
      .replace('dyck_language_np=3:', 'dyck_language:num_parenthesis_pairs=3,')
      .replace(/,groups=.*/, '')
      .replace('neurips_', 'neurips/');
    const groups = name.includes('groups=') ? ', groups: [zeta, alpha]' : '';
    const entries = parseRunEntries(`entries: [{description: "${description}"${groups}}]`, 'test.conf');
    const [run] = await expandEntries(entries, { data: 'none', model: 'neurips/local' });
    assert.ok(run);
    assert.equal(run.spec.name, name);
    const adapter = run.spec.adapter_spec;
    const all = withIds(await run.scenario.instances(run.args, { data: 'none' }));
    const { train, evaluation } = chooseInstances(all, adapter);
    const examples = sampleExamples(train, adapter, 0);
    const sent = await Promise.all(
      evaluation.map(async (instance) => {
        const { state } = await request(instance, examples, 0, adapter, unlimitedWindow);
        const { prompt } = state.request;
        const sha256 = createHash('sha256').update(prompt).digest('hex');
        return { id: instance.id, split: instance.split, sha256, chars: prompt.length };
      }),
    );
    assert.deepEqual(sent, golden.builtin_offline_prompt_hashes[name], name);
  }
});

test('a body is written as Python writes it', () => {
  const body = processBody({
    prompt: 'é "q" \\ \u007f \u2028 🙂\n\ud800',
    temperature: 1e-7,
    num_return_sequences: 1,
    max_new_tokens: 64,
    top_p: 1,
    echo_prompt: false,
    top_k_per_token: 5,
    stop_sequences: ['\n', '#'],
  });
  assert.equal(
    body,
    '{"prompt": "\\u00e9 \\"q\\" \\\\ \\u007f \\u2028 \\ud83d\\ude42\\n\\ud800", "temperature": 1e-07, ' +
      '"num_return_sequences": 1, "max_new_tokens": 64, "top_p": 1, "echo_prompt": false, ' +
      '"top_k_per_token": 5, "stop_sequences": ["\\n", "#"]}',
  );
});

/** A tokenizer of one token a character, like the server's own. */
function characters(log: string[] = [], decode: (text: string) => string = (text) => text): WindowTokenizer {
  return {
    countTokens: async (text) => {
      log.push('count');
      return [...text].length;
    },
    cut: async (text, max) => {
      log.push('cut');
      return decode([...text].slice(0, max).join(''));
    },
  };
}

function question(text: string, split: 'train' | 'test' = 'test'): Instance {
  return {
    id: text.slice(0, 8),
    split,
    input: { text },
    references: [{ output: { text: text.slice(0, 3) }, tags: ['correct'] }],
  };
}

const plain = generation({ input: 'Q', output: 'A', maxTokens: 48 });

test('examples leave a prompt from the end until it fits', async () => {
  const examples = ['a', 'b', 'c', 'd'].map((letter) => question(letter.repeat(600), 'train'));
  const log: string[] = [];
  const { state, promptTokens } = await request(question('why'), examples, 0, plain, characters(log));
  assert.equal(state.num_train_instances, 3);
  assert.equal(state.prompt_truncated, false);
  assert.ok(state.request.prompt.includes('ccc') && !state.request.prompt.includes('ddd'));
  assert.equal(promptTokens, state.request.prompt.length);
  assert.deepEqual(log, ['count', 'count']);
});

test('a prompt that is too long by itself is cut by the server’s tokens, counted in code points', async () => {
  const { state } = await request(
    question('🙂'.repeat(3000)),
    [question('x', 'train')],
    0,
    plain,
    characters(),
  );
  assert.equal([...state.request.prompt].length, 2000);
  assert.equal(state.prompt_truncated, true);
  assert.equal(state.num_train_instances, 0);
  assert.ok(state.request.prompt.endsWith('🙂'));
});

test('a server that does not cut costs a character at a time, and ends', async () => {
  const stubborn: WindowTokenizer = {
    countTokens: async (text) => [...text].length,
    cut: async (text) => text,
  };
  const { state } = await request(question('z'.repeat(2100)), [], 0, plain, stubborn);
  assert.equal(state.request.prompt.length, 2000);
  assert.equal(state.prompt_truncated, true);
});

test('without /decode a zero-shot prompt stays whole, but counts as cut', async () => {
  const { state, promptTokens } = await request(
    question('short'),
    [],
    0,
    plain,
    characters([], () => ''),
  );
  assert.ok(state.request.prompt.includes('short'));
  assert.equal(state.prompt_truncated, true);
  assert.equal(promptTokens, undefined);
});

test('a lossy /decode rewrites a zero-shot prompt, as it does in HELM', async () => {
  const lossy = characters([], (text) => text.trimStart().slice(1));
  const { state } = await request(question('short'), [], 0, plain, lossy);
  assert.ok(state.request.prompt.startsWith(': short'));
  assert.equal(state.prompt_truncated, true);
});

test('instances keep their ids only where every one has one', () => {
  const named = { ...question('a'), id: 'mine' };
  const { id: _, ...unnamed } = question('b');
  assert.deepEqual(
    withIds([named, { ...named, id: 'other' }]).map(({ id }) => id),
    ['mine', 'other'],
  );
  assert.deepEqual(
    withIds([named, unnamed]).map(({ id }) => id),
    ['id0', 'id1'],
  );
});

test('sampling ends where labelled instances run out, and with an empty label', () => {
  const adapter = { ...plain, max_train_instances: 5 };
  const unlabeled = { ...question('u', 'train'), references: [] };
  const mixed = [question('a', 'train'), unlabeled, { ...unlabeled, id: 'v' }];
  assert.equal(sampleExamples(mixed, adapter, 0).length, 3);
  const empty = { ...question('e', 'train'), references: [{ output: { text: '' }, tags: ['correct'] }] };
  assert.deepEqual(sampleExamples([empty], adapter, 0), []);
});
