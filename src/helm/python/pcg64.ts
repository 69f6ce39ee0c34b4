const wordMask = 0xffffffffn;
const stateMask = 2n ** 128n - 1n;
const multiplier = 0x2360ed051fc65da44385df649fccf645n;

/** NumPy's SeedSequence for a seed of one word: eight words of 32 bits. */
function seedWords(seed: number): number[] {
  let constant = 0x43b0d7e5;
  const hash = (value: number) => {
    const mixed = value ^ constant;
    constant = Math.imul(constant, 0x931e8875);
    const product = Math.imul(mixed, constant);
    return product ^ (product >>> 16);
  };
  const pool = [hash(seed), hash(0), hash(0), hash(0)];
  for (let from = 0; from < pool.length; from++) {
    for (let to = 0; to < pool.length; to++) {
      if (from === to) continue;
      const hashed = hash(pool[from] as number);
      const mixed = Math.imul(0xca01f9dd, pool[to] as number) - Math.imul(0x4973f715, hashed);
      pool[to] = mixed ^ (mixed >>> 16);
    }
  }
  let output = 0x8b51f9dd;
  return Array.from({ length: 8 }, (_, i) => {
    const mixed = (pool[i % pool.length] as number) ^ output;
    output = Math.imul(output, 0x58f38ded);
    const product = Math.imul(mixed, output);
    return (product ^ (product >>> 16)) >>> 0;
  });
}

/** NumPy's `default_rng`: PCG64 (O'Neill 2014, XSL RR 128/64), draw for draw, for the calls that HELM's data needs. */
export class NumpyGenerator {
  private state = 0n;
  private readonly increment: bigint;
  private kept: number | undefined;

  /** @param seed 0 to 2^32-1 */
  constructor(seed: number) {
    const words = seedWords(seed).map(BigInt) as [bigint, ...bigint[]];
    const wide = (low: number) => ((words[low + 1] ?? 0n) << 32n) | (words[low] ?? 0n);
    this.increment = ((((wide(4) << 64n) | wide(6)) << 1n) | 1n) & stateMask;
    this.step();
    this.state += (wide(0) << 64n) | wide(2);
    this.step();
  }

  /** A random order of 0 to `count` - 1. */
  permutation(count: number): number[] {
    const order = Array.from({ length: count }, (_, i) => i);
    for (let i = count - 1; i > 0; i--) {
      const j = this.interval(i);
      [order[i], order[j]] = [order[j] as number, order[i] as number];
    }
    return order;
  }

  private step(): void {
    this.state = (this.state * multiplier + this.increment) & stateMask;
  }

  /** 32 bits; each draw of 64 gives two, the low ones first. */
  private next(): number {
    if (this.kept !== undefined) {
      const kept = this.kept;
      this.kept = undefined;
      return kept;
    }
    this.step();
    const folded = (this.state >> 64n) ^ (this.state & 0xffffffffffffffffn);
    const turn = this.state >> 122n;
    const output = (folded >> turn) | (folded << (64n - turn));
    this.kept = Number((output >> 32n) & wordMask);
    return Number(output & wordMask);
  }

  /** An integer in [0, max] by masked rejection, for max up to 2^31 - 1. */
  private interval(max: number): number {
    const mask = 2 ** (32 - Math.clz32(max)) - 1;
    let value = this.next() & mask;
    while (value > max) value = this.next() & mask;
    return value;
  }
}
