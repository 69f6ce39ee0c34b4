import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { UserError } from '../../../src/base/index.ts';
import { layOutSafetensors, readSafetensorsHeader, readTensor } from '../../../src/checkpoint/index.ts';
import { random, safetensors, tensor, withHeader } from '../../support/checkpoints.ts';
import { temporaryFolder } from '../../support/temporary.ts';

const entry = (dtype: unknown, shape: unknown, offsets: unknown) => ({ dtype, shape, data_offsets: offsets });

/** Every way in which a header can lie, and what the message must say. */
const damaged: Record<string, [bytes: Uint8Array, says: RegExp]> = {
  'an empty file': [new Uint8Array(), /empty/],
  'a file of four bytes': [new Uint8Array(4), /truncated: 4 bytes/],
  'a header beyond the end': [
    Buffer.from([100, 0, 0, 0, 0, 0, 0, 0, 0x7b]),
    /claims 100 bytes, but only 1 follow/,
  ],
  'a header over 100 MB': [Buffer.from([1, 0xe1, 0xf5, 5, 0, 0, 0, 0]), /claims 100000001 bytes/],
  'a header of 2^64 bytes': [Buffer.alloc(16, 0xff), /claims 18446744073709551615 bytes/],
  'a Git LFS pointer': [Buffer.from('version https://git-lfs.github.com/spec/v1\noid …'), /Git LFS pointer/],
  'a header that is no JSON': [withHeader('{"a": '), /not JSON/],
  'a header that is a list': [withHeader('[]'), /no JSON object/],
  'a header that is null': [withHeader('null'), /no JSON object/],
  'a header that is not UTF-8': [withHeader(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d])), /not UTF-8/],
  'an unknown dtype': [
    withHeader(JSON.stringify({ a: entry('F7', [1], [0, 1]) }), Buffer.alloc(1)),
    /"a".*"F7"/,
  ],
  'no dtype': [withHeader(JSON.stringify({ a: { shape: [1] } })), /unknown dtype undefined/],
  'an entry that is a number': [withHeader('{"a": 1}'), /"a" is no JSON object/],
  'a negative size': [
    withHeader(JSON.stringify({ a: entry('U8', [-1], [0, 1]) }), Buffer.alloc(1)),
    /shape \[-1\]/,
  ],
  'a fractional size': [
    withHeader(JSON.stringify({ a: entry('U8', [0.5], [0, 1]) }), Buffer.alloc(1)),
    /shape/,
  ],
  'a shape that is no list': [
    withHeader(JSON.stringify({ a: entry('U8', 1, [0, 1]) }), Buffer.alloc(1)),
    /shape 1/,
  ],
  'negative offsets': [withHeader(JSON.stringify({ a: entry('U8', [1], [-1, 0]) })), /data_offsets \[-1,0\]/],
  'one offset': [withHeader(JSON.stringify({ a: entry('U8', [1], [0]) })), /data_offsets \[0\]/],
  'offsets in the wrong order': [
    withHeader(JSON.stringify({ a: entry('U8', [1], [1, 0]) }), Buffer.alloc(1)),
    /takes -1 bytes/,
  ],
  'a shape that does not fit its bytes': [
    withHeader(JSON.stringify({ a: entry('F32', [2, 3], [0, 20]) }), Buffer.alloc(20)),
    /"a" takes 20 bytes, but F32 of shape \[2, 3\] takes 24/,
  ],
  'a shape whose size overflows': [
    withHeader(JSON.stringify({ a: entry('U8', [2 ** 52, 2 ** 52], [0, 1]) }), Buffer.alloc(1)),
    /takes 1 bytes/,
  ],
  'offsets past the end': [
    withHeader(JSON.stringify({ a: entry('U8', [9], [0, 9]) }), Buffer.alloc(8)),
    /truncated: tensor "a"/,
  ],
  'overlapping tensors': [
    withHeader(JSON.stringify({ a: entry('U8', [4], [0, 4]), b: entry('U8', [4], [2, 6]) }), Buffer.alloc(6)),
    /"a" and "b" overlap/,
  ],
  'a hole between tensors': [
    withHeader(JSON.stringify({ a: entry('U8', [2], [0, 2]), b: entry('U8', [2], [3, 5]) }), Buffer.alloc(5)),
    /1 bytes before tensor "b"/,
  ],
  'bytes after the last tensor': [
    withHeader(JSON.stringify({ a: entry('U8', [2], [0, 2]) }), Buffer.alloc(5)),
    /3 B after the last tensor/,
  ],
  'a name that stands twice': [
    withHeader(
      '{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}',
      Buffer.alloc(1),
    ),
    /"a" is listed twice/,
  ],
  'metadata that holds a number': [withHeader('{"__metadata__":{"x":1}}'), /__metadata__/],
};

describe('a damaged safetensors file', () => {
  for (const [what, [bytes, says]] of Object.entries(damaged)) {
    test(`${what} is refused, naming the file`, async (t) => {
      const file = join(await temporaryFolder(t), 'model.safetensors');
      await writeFile(file, bytes);
      await assert.rejects(readSafetensorsHeader(file), (error: unknown) => {
        assert(error instanceof UserError);
        assert.match(error.message, says);
        assert.equal(error.place.file, file);
        assert.equal(error.kind, 'usage');
        return true;
      });
    });
  }

  test('no damage of single bytes escapes as anything but a UserError', async (t) => {
    const file = join(await temporaryFolder(t), 'model.safetensors');
    const whole = safetensors({
      'a.b': tensor('F32', [2, 2], [1, 2, 3, 4]),
      c: tensor('BF16', [3], [1, 2, 3]),
    });
    const next = random(7);
    let refused = 0;
    for (let trial = 0; trial < 300; trial++) {
      const bytes = Uint8Array.from(whole);
      const changes = 1 + Math.floor(next() * 3);
      for (let i = 0; i < changes; i++)
        bytes[Math.floor(next() * (bytes.length - 22))] = Math.floor(next() * 256);
      await writeFile(file, next() < 0.2 ? bytes.subarray(0, Math.floor(next() * bytes.length)) : bytes);
      try {
        const { tensors } = await readSafetensorsHeader(file);
        for (const info of tensors) assert.equal((await readTensor(info)).length, info.end - info.begin);
      } catch (error) {
        assert(error instanceof UserError, String(error));
        refused++;
      }
    }
    assert(refused > 200, `only ${refused} of 300 were refused`);
  });
});

describe('a sound safetensors file', () => {
  test('is read with shapes, types and bytes; scalars, empty tensors and odd names included', async (t) => {
    const file = join(await temporaryFolder(t), 'model.safetensors');
    const tensors = {
      matrix: tensor('F32', [2, 2], [1, 2, 3, 4]),
      scalar: tensor('BF16', [], [1.5]),
      empty: tensor('F16', [0, 4], []),
      __proto__x: tensor('I64', [1], [7]),
      'naïve "name"\n': tensor('F16', [1], [0.5]),
    };
    await writeFile(file, safetensors(tensors));
    const header = await readSafetensorsHeader(file);
    assert.deepEqual(header.metadata, { format: 'pt' });
    assert.deepEqual(
      header.tensors.map(({ name, dtype, shape }) => ({ name, dtype, shape })),
      Object.entries(tensors).map(([name, { dtype, shape }]) => ({ name, dtype, shape })),
    );
    for (const info of header.tensors) {
      const expected = tensors[info.name as keyof typeof tensors].data;
      assert.deepEqual(Buffer.from(await readTensor(info)), Buffer.from(expected));
    }
  });

  test('a layout of ours is a file that the reader accepts, every tensor aligned to its width', async (t) => {
    const file = join(await temporaryFolder(t), 'model.safetensors');
    const specs = [
      { name: 'z', dtype: 'BF16', shape: [3] },
      { name: 'b', dtype: 'F32', shape: [1, 5] },
      { name: 'a', dtype: 'BF16', shape: [] },
      { name: 'i', dtype: 'I64', shape: [2] },
    ] as const;
    const layout = layOutSafetensors(specs);
    await writeFile(file, Buffer.concat([layout.header, Buffer.alloc(layout.bytes - layout.header.length)]));
    const { tensors } = await readSafetensorsHeader(file);
    assert.deepEqual(
      tensors.map(({ name }) => name),
      ['i', 'b', 'a', 'z'],
    );
    for (const [index, info] of tensors.entries()) {
      assert.equal(info.begin, layout.tensors[index]?.begin);
      assert.equal(info.begin % { I64: 8, F32: 4, BF16: 2 }[info.dtype as 'I64'], 0);
    }
  });
});
