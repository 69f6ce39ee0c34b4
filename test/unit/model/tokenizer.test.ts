import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { mediaPath, UserError } from '../../../src/base/index.ts';
import { loadTokenizer, type Tokenizer } from '../../../src/model/index.ts';
import { random } from '../../support/checkpoints.ts';
import { temporaryFolder } from '../../support/temporary.ts';

const bytesOfText = [
  ...Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`),
];

/** A tokenizer in Llama 2's layout, with a beginning token and a few words. */
const sentencePiece = {
  version: '1.0',
  added_tokens: [
    { id: 0, content: '<unk>', special: true, normalized: false },
    { id: 1, content: '<s>', special: true, normalized: false },
    { id: 2, content: '</s>', special: true, normalized: false },
  ],
  normalizer: {
    type: 'Sequence',
    normalizers: [
      { type: 'Prepend', prepend: '▁' },
      { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
    ],
  },
  pre_tokenizer: null,
  post_processor: {
    type: 'TemplateProcessing',
    single: [{ SpecialToken: { id: '<s>', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
    pair: [],
    special_tokens: { '<s>': { id: '<s>', ids: [1], tokens: ['<s>'] } },
  },
  decoder: {
    type: 'Sequence',
    decoders: [
      { type: 'Replace', pattern: { String: '▁' }, content: ' ' },
      { type: 'ByteFallback' },
      { type: 'Fuse' },
      { type: 'Strip', content: ' ', start: 1, stop: 0 },
    ],
  },
  model: {
    type: 'BPE',
    unk_token: '<unk>',
    fuse_unk: true,
    byte_fallback: true,
    vocab: Object.fromEntries(
      ['<unk>', '<s>', '</s>', ...bytesOfText, '▁', 'a', 'b', '▁a'].map((token, id) => [token, id]),
    ),
    merges: ['▁ a'],
  },
};

describe('the demo’s byte-level tokenizer', () => {
  let tokenizer: Tokenizer;
  before(async () => {
    tokenizer = await loadTokenizer(mediaPath('demo/base'));
  });

  test('gives any text back', () => {
    const next = random(5);
    const ranges = [0x80, 0x800, 0x10000, 0x110000];
    const letter = () => {
      const code = Math.floor(next() * (ranges[Math.floor(next() * 4)] ?? 1));
      return code >= 0xd800 && code < 0xe000 ? ' ' : String.fromCodePoint(code);
    };
    for (let round = 0; round < 500; round++) {
      const text = Array.from({ length: Math.floor(next() * 30) }, letter).join('');
      assert.equal(tokenizer.decode(tokenizer.encode(text)), text);
    }
  });

  test('a half surrogate pair is what UTF-8 makes of it', () => {
    assert.equal(tokenizer.decode(tokenizer.encode('a\ud83e')), 'a\ufffd');
  });

  test('cuts from the left', () => {
    const all = tokenizer.encode('one two three four');
    assert.deepEqual(tokenizer.encode('one two three four', 5), all.slice(0, 5));
    assert.deepEqual(tokenizer.encode('one two three four', 0), []);
  });

  test('tokens that are no whole character are written as bytes, and add up to the text', () => {
    const ids = tokenizer.encode('é🦊');
    assert.deepEqual(
      ids.map((id) => tokenizer.textOf(id)),
      ['bytes:\\xc3', 'bytes:\\xa9', 'bytes:\\xf0', 'bytes:\\x9f', 'bytes:\\xa6', 'bytes:\\x8a'],
    );
    assert.equal(Buffer.concat(ids.map((id) => tokenizer.bytesOf(id))).toString(), 'é🦊');
  });

  test('a special token in a text survives the round trip, one in a completion is left out', () => {
    const ids = tokenizer.encode('a<|endoftext|>b');
    assert.ok(ids.includes(0));
    assert.equal(tokenizer.decode(ids), 'a<|endoftext|>b');
    assert.equal(tokenizer.decodeCompletion(ids), 'ab');
    assert.equal(tokenizer.bytesOf(0).length, 0);
    assert.equal(tokenizer.textOf(0), '<|endoftext|>');
  });
});

describe('a tokenizer in SentencePiece’s way', () => {
  test('puts its beginning token, counts it, and leaves it out of the text', async (t) => {
    const folder = await temporaryFolder(t);
    await writeFile(join(folder, 'tokenizer.json'), JSON.stringify(sentencePiece));
    const tokenizer = await loadTokenizer(folder);
    const ids = tokenizer.encode('a b🦊');
    assert.equal(ids[0], 1);
    assert.equal(tokenizer.decode(ids), 'a b🦊');
    assert.deepEqual(tokenizer.encode('a b', 2), tokenizer.encode('a b').slice(0, 2));
    // A beginning token of the text's own stays.
    assert.equal(tokenizer.decode(tokenizer.encode('<s>')), '<s>');
    assert.equal(tokenizer.textOf(tokenizer.encode('a')[1] ?? 0), ' a');
    // The reference writes one U+FFFD for each byte of a run that is no character.
    assert.equal(tokenizer.decodeCompletion(tokenizer.encode('🦊').slice(2, 5)), '\ufffd\ufffd\ufffd');
  });
});

describe('loadTokenizer', () => {
  test('says what to do when there is no tokenizer.json', async (t) => {
    const folder = await temporaryFolder(t);
    await assert.rejects(loadTokenizer(folder), (error) => {
      assert.ok(error instanceof UserError);
      assert.match(error.message, /no tokenizer\.json/);
      assert.match(error.remedy ?? '', /save_pretrained/);
      return true;
    });
  });

  for (const [what, text, message] of [
    ['broken JSON', '{"model": ', /not valid JSON/],
    ['no model', '{"version": "1.0"}', /model/],
    [
      'a part the library does not know',
      JSON.stringify({ model: { type: 'BPE', vocab: {}, merges: [] }, normalizer: { type: 'Magic' } }),
      /Magic/,
    ],
  ] as const) {
    test(`refuses ${what} and names the file`, async (t) => {
      const folder = await temporaryFolder(t);
      await writeFile(join(folder, 'tokenizer.json'), text);
      await assert.rejects(loadTokenizer(folder), (error) => {
        assert.ok(error instanceof UserError);
        assert.match(error.message, message);
        assert.equal(error.place.file, join(folder, 'tokenizer.json'));
        return true;
      });
    });
  }
});
