import { plural } from '../../base/index.ts';
import { decodeResponseSchema, tokenizeResponseSchema } from '../contract.ts';
import { type Probe, quoted } from './probe.ts';
import { Broken, type CheckSession, helmRequest } from './session.ts';

function tokenizeBody(text: string, truncation = false, maxLength = 2048): string {
  return JSON.stringify({ text, truncation, max_length: maxLength });
}

const tokenize: Probe = {
  id: 'tokenize',
  title: '/tokenize returns one flat list of tokens, also for a body with nothing but the text',
  run: async (session) => {
    const text = 'The quick brown fox jumps over the lazy dog.';
    const { tokens } = await session.ask('/tokenize', tokenizeBody(text), tokenizeResponseSchema);
    if (tokens.length < 2) throw new Broken(`${quoted(text)} gave ${tokens.length} tokens`);
    await session.ask('/tokenize', JSON.stringify({ text }), tokenizeResponseSchema);
    return `${tokens.length} tokens`;
  },
};

const tokenizeTruncation: Probe = {
  id: 'tokenize-truncation',
  title: '/tokenize honours truncation and max_length; else HELM asks once for every character it cuts',
  run: async (session) => {
    const text = 'one two three four five six seven eight nine ten eleven twelve thirteen';
    const cut = await session.ask('/tokenize', tokenizeBody(text, true, 5), tokenizeResponseSchema);
    if (cut.tokens.length > 5) throw new Broken(`max_length 5 gave ${cut.tokens.length} tokens`);
    if (cut.tokens.length === 0) throw new Broken('max_length 5 gave no token at all');
    const whole = await session.ask('/tokenize', tokenizeBody(text, false, 5), tokenizeResponseSchema);
    if (whole.tokens.length <= 5) throw new Broken('the text was cut although truncation was false');
    return `${cut.tokens.length} of ${whole.tokens.length} tokens`;
  },
};

const tokenizeEmpty: Probe = {
  id: 'tokenize-empty',
  title: '/tokenize takes an empty text',
  run: async (session) => {
    const { tokens } = await session.ask('/tokenize', tokenizeBody(''), tokenizeResponseSchema);
    if (tokens.length > 2) throw new Broken(`an empty text gave ${tokens.length} tokens`);
    return `${tokens.length} tokens`;
  },
};

const roundTripTexts = [
  'Plain words, and a full stop.',
  ' a leading space',
  'two\n\nlines',
  'an emoji 🦊 and ünïcödé',
] as const;

const decodeRoundTrip: Probe = {
  id: 'decode-round-trip',
  title: '/decode gives back the very text that was tokenized; else HELM changes zero-shot prompts',
  run: async (session) => {
    for (const text of roundTripTexts) {
      const { tokens } = await session.ask('/tokenize', tokenizeBody(text), tokenizeResponseSchema);
      const decoded = await session.ask('/decode', JSON.stringify({ tokens }), decodeResponseSchema);
      if (decoded.text !== text) throw new Broken(`${quoted(text)} came back as ${quoted(decoded.text)}`);
    }
    return `${roundTripTexts.length} texts came back unchanged`;
  },
};

/** About 2000 tokens of text, by the server's own count where it has one. */
async function longText(session: CheckSession): Promise<{ text: string; tokens: number | undefined }> {
  const unit = ' The quick brown fox jumps over the lazy dog.';
  const count = async (repeats: number) =>
    (await session.ask('/tokenize', tokenizeBody(unit.repeat(repeats)), tokenizeResponseSchema)).tokens
      .length;
  try {
    const perUnit = ((await count(20)) - (await count(10))) / 10;
    if (perUnit < 1) return { text: unit.repeat(200), tokens: undefined };
    const text = unit.repeat(Math.floor(1990 / perUnit));
    const { tokens } = await session.ask('/tokenize', tokenizeBody(text), tokenizeResponseSchema);
    return { text, tokens: tokens.length };
  } catch (error) {
    if (!(error instanceof Broken)) throw error;
    return { text: unit.repeat(200), tokens: undefined };
  }
}

const longPrompt: Probe = {
  id: 'long-prompt',
  title: 'A prompt of about 2000 tokens with max_new_tokens 400 is answered',
  run: async (session) => {
    const { text, tokens } = await longText(session);
    const completion = await session.complete(helmRequest({ prompt: text, max_new_tokens: 400 }), {
      patience: 3,
    });
    const size = tokens === undefined ? `${text.length} characters` : `${tokens} tokens`;
    return `${size} of prompt, ${plural(completion.tokens.length, 'token')} of answer`;
  },
};

/** What asks /tokenize and /decode for something, or needs them to ask. */
export const tokenProbes: readonly Probe[] = [
  tokenize,
  tokenizeTruncation,
  tokenizeEmpty,
  decodeRoundTrip,
  longPrompt,
];
