import { createHash } from 'node:crypto';

const size = 624;
const middle = 397;

/** The Mersenne Twister MT19937, the generator under Python's `random` and NumPy's legacy API. */
class MersenneTwister {
  private readonly state = new Uint32Array(size);
  private index = size;

  /** Seeds as NumPy's `RandomState(seed)` does (Knuth's multiplier). */
  seedKnuth(seed: number): void {
    this.state[0] = seed;
    for (let i = 1; i < size; i++) {
      const previous = this.at(i - 1);
      this.state[i] = Math.imul(previous ^ (previous >>> 30), 1812433253) + i;
    }
    this.index = size;
  }

  /** Seeds with a key of 32-bit words, as Python does. */
  seedArray(key: readonly number[]): void {
    this.seedKnuth(19650218);
    let i = 1;
    let j = 0;
    for (let k = Math.max(size, key.length); k > 0; k--) {
      const previous = this.at(i - 1);
      this.state[i] = (this.at(i) ^ Math.imul(previous ^ (previous >>> 30), 1664525)) + (key[j] ?? 0) + j;
      i++;
      j++;
      if (i >= size) {
        this.state[0] = this.at(size - 1);
        i = 1;
      }
      if (j >= key.length) j = 0;
    }
    for (let k = size - 1; k > 0; k--) {
      const previous = this.at(i - 1);
      this.state[i] = (this.at(i) ^ Math.imul(previous ^ (previous >>> 30), 1566083941)) - i;
      i++;
      if (i >= size) {
        this.state[0] = this.at(size - 1);
        i = 1;
      }
    }
    this.state[0] = 0x80000000;
    this.index = size;
  }

  /** The next 32 bits, 0 to 2^32-1. */
  next(): number {
    if (this.index >= size) this.twist();
    let y = this.at(this.index++);
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    y ^= y >>> 18;
    return y >>> 0;
  }

  private at(index: number): number {
    return this.state[index] as number;
  }

  private twist(): void {
    for (let i = 0; i < size; i++) {
      const y = (this.at(i) & 0x80000000) | (this.at((i + 1) % size) & 0x7fffffff);
      this.state[i] = this.at((i + middle) % size) ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
    }
    this.index = 0;
  }
}

function bigEndianWords(bytes: Uint8Array): number[] {
  const words: number[] = [];
  for (let end = bytes.length; end > 0; end -= 4) {
    let word = 0;
    for (let i = Math.max(0, end - 4); i < end; i++) word = (word * 256 + (bytes[i] as number)) >>> 0;
    words.push(word);
  }
  while (words.length > 1 && words.at(-1) === 0) words.pop();
  return words;
}

/** Python's `random.Random`, draw for draw, for the calls that HELM makes. */
export class PythonRandom {
  private readonly generator = new MersenneTwister();

  /** @param seed a non-negative safe integer, or a string (seeded through SHA-512 as Python 3 does) */
  constructor(seed: number | string) {
    if (typeof seed === 'string') {
      const text = Buffer.from(seed, 'utf8');
      const digest = createHash('sha512').update(text).digest();
      this.generator.seedArray(bigEndianWords(Buffer.concat([text, digest])));
    } else {
      const high = Math.floor(seed / 2 ** 32);
      this.generator.seedArray(high > 0 ? [seed >>> 0, high] : [seed >>> 0]);
    }
  }

  /** A float in [0, 1) with 53 random bits. */
  random(): number {
    const a = this.generator.next() >>> 5;
    const b = this.generator.next() >>> 6;
    return (a * 67108864 + b) / 9007199254740992;
  }

  /** An integer in [0, n), for n up to 2^32. */
  randrange(n: number): number {
    const bits = n >= 2 ** 31 ? 32 + (n >= 2 ** 32 ? 1 : 0) : 32 - Math.clz32(n);
    let value = this.bits(bits);
    while (value >= n) value = this.bits(bits);
    return value;
  }

  /** An integer in [low, high], both ends included. */
  randint(low: number, high: number): number {
    return low + this.randrange(high - low + 1);
  }

  uniform(low: number, high: number): number {
    return low + (high - low) * this.random();
  }

  choice<T>(items: readonly T[]): T {
    return items[this.randrange(items.length)] as T;
  }

  /** Shuffles in place. */
  shuffle<T>(items: T[]): void {
    for (let i = items.length - 1; i > 0; i--) {
      const j = this.randrange(i + 1);
      [items[i], items[j]] = [items[j] as T, items[i] as T];
    }
  }

  /** `count` different items in the order of Python's `random.sample`. */
  sample<T>(items: readonly T[], count: number): T[] {
    const n = items.length;
    if (count > n) throw new RangeError(`cannot sample ${count} of ${n} items`);
    let setSize = 21;
    if (count > 5) setSize += 4 ** Math.ceil(Math.log(count * 3) / Math.log(4));
    if (n <= setSize) {
      const pool = [...items];
      return Array.from({ length: count }, (_, i) => {
        const j = this.randrange(n - i);
        const picked = pool[j] as T;
        pool[j] = pool[n - i - 1] as T;
        return picked;
      });
    }
    const chosen = new Set<number>();
    return Array.from({ length: count }, () => {
      let j = this.randrange(n);
      while (chosen.has(j)) j = this.randrange(n);
      chosen.add(j);
      return items[j] as T;
    });
  }

  private bits(count: number): number {
    if (count === 0) return 0;
    return count <= 32 ? this.generator.next() >>> (32 - count) : Math.floor(this.random() * 2 ** count);
  }
}

/** NumPy's legacy `RandomState`, draw for draw, for the calls that HELM makes. */
export class NumpyRandom {
  private readonly generator = new MersenneTwister();

  /** @param seed 0 to 2^32-1 */
  constructor(seed: number) {
    this.generator.seedKnuth(seed);
  }

  /** An integer in [low, high). */
  randint(low: number, high: number): number {
    return low + this.interval(high - low - 1);
  }

  /** `count` items drawn with replacement. */
  choices<T>(items: readonly T[], count: number): T[] {
    return Array.from({ length: count }, () => items[this.randint(0, items.length)] as T);
  }

  /** Shuffles in place. */
  shuffle<T>(items: T[]): void {
    for (let i = items.length - 1; i > 0; i--) {
      const j = this.interval(i);
      [items[i], items[j]] = [items[j] as T, items[i] as T];
    }
  }

  /** `count` different items: the first of a permutation, so that a larger count keeps the smaller one's items. */
  choiceWithoutReplacement<T>(items: readonly T[], count: number): T[] {
    const order = Array.from(items.keys());
    this.shuffle(order);
    return order.slice(0, count).map((index) => items[index] as T);
  }

  /** An integer in [0, max] by masked rejection. */
  private interval(max: number): number {
    if (max === 0) return 0;
    const mask = max >= 2 ** 31 ? 0xffffffff : 2 ** (32 - Math.clz32(max)) - 1;
    let value = (this.generator.next() & mask) >>> 0;
    while (value > max) value = (this.generator.next() & mask) >>> 0;
    return value;
  }
}
