import { type ProcessResponse, processResponseSchema } from '../contract.ts';
import { type Probe, quoted } from './probe.ts';
import { Broken, type CheckSession, helmRequest } from './session.ts';

/** What the organizers send to see whether a container lives. */
const healthPrompt = 'The capital of France is ';

function same(a: ProcessResponse, b: ProcessResponse): boolean {
  return (
    a.text === b.text &&
    a.tokens.map(({ text }) => text).join('\0') === b.tokens.map(({ text }) => text).join('\0')
  );
}

const healthBody: Probe = {
  id: 'health-body',
  title: 'A body with nothing but the prompt is answered, as the organizers’ health check sends it',
  run: async (session) => {
    const { tokens } = await session.complete({ prompt: healthPrompt });
    return `${tokens.length} tokens`;
  },
};

const helmBody: Probe = {
  id: 'helm-body',
  title: 'The eight fields that HELM sends are answered',
  run: async (session) => {
    const { text } = await session.complete(helmRequest());
    return `answered ${quoted(text)}`;
  },
};

const deterministic: Probe = {
  id: 'deterministic',
  title: 'At temperature 1e-7, which is how HELM writes 0, the answer is always the same',
  run: async (session) => {
    const request = helmRequest({ max_new_tokens: 16 });
    const first = await session.complete(request);
    const second = await session.complete(request);
    if (!same(first, second)) {
      throw new Broken(`the same request gave ${quoted(first.text)} and ${quoted(second.text)}`);
    }
    return `twice ${quoted(first.text)}`;
  },
};

const maxNewTokens: Probe = {
  id: 'max-new-tokens',
  title: 'max_new_tokens is a limit (1, 5 and 64 tokens)',
  run: async (session) => {
    const counts: number[] = [];
    for (const limit of [1, 5, 64]) {
      const { tokens } = await session.complete(helmRequest({ max_new_tokens: limit }));
      if (tokens.length > limit) throw new Broken(`${tokens.length} tokens came where ${limit} were allowed`);
      counts.push(tokens.length);
    }
    return `${counts.join(', ')} tokens`;
  },
};

/** A text of the model that is long enough to be stopped within. */
async function freeText(session: CheckSession) {
  for (const prompt of [helmRequest().prompt, healthPrompt, 'Once upon a time', 'a b c d e f g']) {
    const request = helmRequest({ prompt, max_new_tokens: 64 });
    const { text } = await session.complete(request);
    if (text.trim().length > 1) return { request, text };
  }
  return undefined;
}

const stopSequences: Probe = {
  id: 'stop-sequences',
  title: 'The text ends before the first stop sequence, which is left out',
  run: async (session) => {
    const free = await freeText(session);
    const base = free?.request ?? helmRequest({ max_new_tokens: 64 });
    const line = await session.complete({ ...base, stop_sequences: ['\n'] });
    if (line.text.includes('\n')) throw new Broken(`stop ["\\n"] gave ${quoted(line.text)}`);
    if (!free) return 'the model wrote nothing that could be stopped';
    // A model that writes no new line would pass that by chance: something that it does write tells more.
    const middle = free.text.trimStart().slice(Math.min(4, free.text.trim().length - 1));
    const stop = [...middle][0] ?? '\n';
    const { text } = await session.complete({ ...base, stop_sequences: [stop] });
    const expected = free.text.slice(0, free.text.indexOf(stop));
    if (text.includes(stop)) throw new Broken(`stop [${JSON.stringify(stop)}] gave ${quoted(text)}`);
    if (text.trimEnd() !== expected.trimEnd()) {
      throw new Broken(`stop [${JSON.stringify(stop)}] gave ${quoted(text)}, not ${quoted(expected)}`);
    }
    return `stopped at ${JSON.stringify(stop)}`;
  },
};

const echoOff: Probe = {
  id: 'echo-off',
  title: 'Without echo_prompt, absent or false, the text does not hold the prompt',
  run: async (session) => {
    const { echo_prompt: _, ...absent } = helmRequest();
    for (const request of [absent, helmRequest()]) {
      const { text } = await session.complete(request);
      if (text.trimStart().startsWith(request.prompt)) {
        throw new Broken(
          `the prompt came back with echo_prompt ${'echo_prompt' in request ? 'false' : 'absent'}`,
        );
      }
    }
    return 'neither absent nor false brings the prompt back';
  },
};

const echoOn: Probe = {
  id: 'echo-on',
  title: 'With echo_prompt true the text begins with the prompt',
  run: async (session) => {
    const request = helmRequest({ echo_prompt: true, max_new_tokens: 1 });
    const { text } = await session.complete(request);
    if (!text.trimStart().startsWith(request.prompt)) throw new Broken(`the text is ${quoted(text)}`);
    return 'the prompt is there';
  },
};

const numberTypes: Probe = {
  id: 'number-types',
  title: 'Numbers may be whole or not: temperature 0 and 1.0, top_p 1 and 1.0',
  run: async (session) => {
    for (const [temperature, topP] of [
      ['0', '1.0'],
      ['1.0', '1'],
    ]) {
      const body = `{"prompt": "A", "temperature": ${temperature}, "top_p": ${topP}, "max_new_tokens": 2}`;
      await session.ask('/process', body, processResponseSchema);
    }
    return 'both forms are accepted';
  },
};

const unknownField: Probe = {
  id: 'unknown-field',
  title: 'A field that the server does not know is accepted',
  run: async (session) => {
    const body = JSON.stringify({ ...helmRequest(), a_field_nobody_knows: true });
    await session.ask('/process', body, processResponseSchema);
    return 'accepted';
  },
};

const parallel: Probe = {
  id: 'parallel',
  title: 'Four requests at once, as HELM sends them, get the answers that each gets alone',
  run: async (session) => {
    const requests = ['France', 'Peru', 'Chad', 'Japan'].map((country) =>
      helmRequest({ prompt: `Question: What is the capital of ${country}?\nAnswer:` }),
    );
    const together = await Promise.all(
      requests.map((request) => session.complete(request, { concurrent: true, patience: 2 })),
    );
    for (const [index, request] of requests.entries()) {
      const alone = await session.complete(request);
      const answer = together[index];
      if (answer && answer.text !== alone.text) {
        throw new Broken(
          `${quoted(request.prompt)} gave ${quoted(answer.text)}, alone ${quoted(alone.text)}`,
        );
      }
    }
    return 'all four answered as alone';
  },
};

/** What asks /process for something. */
export const completionProbes: readonly Probe[] = [
  healthBody,
  helmBody,
  deterministic,
  maxNewTokens,
  stopSequences,
  echoOff,
  echoOn,
  numberTypes,
  unknownField,
  parallel,
];
