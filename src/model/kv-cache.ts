/** Positions by which the cache grows at least. */
const step = 64;

/** Keys and values of one layer, each [heads, capacity, size], one head after the other. */
export interface LayerCache {
  keys: Float32Array;
  values: Float32Array;
}

/**
 * What attention remembers of one sequence: its tokens and, for each layer, their keys and values. It grows as
 * needed; cutting it back is free, so that the next request can go on from what it shares with the last.
 */
export class KvCache {
  /** The tokens that the cache holds, in order. */
  readonly tokens: number[] = [];
  readonly layers: readonly LayerCache[];
  /** Tokens for which there is room. */
  capacity = 0;
  /** Tokens at the start that may be gone on from; see {@link settle}. */
  private settled = 0;
  private readonly heads: number;
  private readonly size: number;
  private readonly limit: number;

  /**
   * @param heads key and value heads
   * @param size numbers a head
   * @param limit tokens that the model can see at most
   */
  constructor(layers: number, heads: number, size: number, limit: number) {
    this.heads = heads;
    this.size = size;
    this.limit = limit;
    this.layers = Array.from({ length: layers }, () => ({
      keys: new Float32Array(0),
      values: new Float32Array(0),
    }));
  }

  /** Makes room for `tokens` tokens. True when the arrays of {@link layers} were replaced. */
  reserve(tokens: number): boolean {
    if (tokens <= this.capacity) return false;
    // By half more at least: a long generation copies each token a few times, not hundreds of times.
    const wanted = Math.max(tokens, Math.min(Math.ceil(this.capacity * 1.5), this.limit));
    const capacity = Math.ceil(wanted / step) * step;
    for (const layer of this.layers) {
      layer.keys = this.moved(layer.keys, capacity);
      layer.values = this.moved(layer.values, capacity);
    }
    this.capacity = capacity;
    return true;
  }

  /** Forgets all but the first `length` tokens. */
  cut(length: number): void {
    if (length < this.tokens.length) this.tokens.length = length;
    this.settled = Math.min(this.settled, length);
  }

  /**
   * Says that all tokens so far were computed in the way in which any prompt that begins with them is. How many
   * tokens are computed at once shows in the last bits of a result, so only these may be gone on from: then an
   * answer does not depend on what was asked before.
   */
  settle(): void {
    this.settled = this.tokens.length;
  }

  /** How many tokens at the start of `tokens` are settled ones of the cache. */
  shared(tokens: readonly number[]): number {
    const end = Math.min(tokens.length, this.settled);
    let length = 0;
    while (length < end && tokens[length] === this.tokens[length]) length++;
    return length;
  }

  /**
   * Puts the keys and values of `tokens` behind those of the tokens before.
   * @param news for each layer what the graph returned, [tokens, heads * size]
   */
  append(tokens: readonly number[], news: readonly LayerCache[]): void {
    const position = this.tokens.length;
    for (const [index, layer] of this.layers.entries()) {
      const fresh = news[index];
      if (fresh === undefined) throw new Error(`no keys and values for layer ${index}`);
      this.scatter(fresh.keys, layer.keys, position, tokens.length);
      this.scatter(fresh.values, layer.values, position, tokens.length);
    }
    for (const token of tokens) this.tokens.push(token);
  }

  private scatter(from: Float32Array, to: Float32Array, position: number, count: number): void {
    const { heads, size, capacity } = this;
    for (let token = 0, at = 0; token < count; token++) {
      for (let head = 0; head < heads; head++, at += size) {
        to.set(from.subarray(at, at + size), (head * capacity + position + token) * size);
      }
    }
  }

  private moved(from: Float32Array, capacity: number): Float32Array {
    const { heads, size } = this;
    const to = new Float32Array(heads * capacity * size);
    const used = this.tokens.length * size;
    for (let head = 0; head < heads; head++) {
      const begin = head * this.capacity * size;
      to.set(from.subarray(begin, begin + used), head * capacity * size);
    }
    return to;
  }
}
