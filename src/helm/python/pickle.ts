import { UserError } from '../../base/index.ts';

export type Unpickled = string | number | boolean | null | Unpickled[] | Map<Unpickled, Unpickled>;

/** Marks on the stack where a run of items begins. */
const mark = Symbol('mark');

/**
 * Reads a pickle of dicts, lists, tuples, texts, numbers and None. It knows the opcodes of these alone and builds
 * nothing else, so that a pickle cannot run anything; any other opcode is refused.
 * @param file named in errors
 */
export function unpickle(bytes: Buffer, file: string): Unpickled {
  return new Unpickler(bytes, file).load();
}

class Unpickler {
  private readonly bytes: Buffer;
  private readonly file: string;
  private at = 0;
  private stack: (Unpickled | typeof mark)[] = [];
  private readonly memo = new Map<number, Unpickled>();

  constructor(bytes: Buffer, file: string) {
    this.bytes = bytes;
    this.file = file;
  }

  load(): Unpickled {
    try {
      for (;;) {
        const opcode = String.fromCharCode(this.bytes.readUInt8(this.at++));
        if (opcode === '.') return this.pop();
        this.step(opcode);
      }
    } catch (error) {
      if (error instanceof RangeError) throw this.error('it ends in the middle', error);
      throw error;
    }
  }

  private step(opcode: string): void {
    switch (opcode) {
      case '\x80': // PROTO
        this.at += 1;
        return;
      case '\x95': // FRAME
        this.at += 8;
        return;
      case '(':
        this.stack.push(mark);
        return;
      case '}':
        this.stack.push(new Map());
        return;
      case ']':
      case ')':
        this.stack.push([]);
        return;
      case 'd': {
        const items = this.popToMark();
        this.stack.push(this.fill(new Map(), items));
        return;
      }
      case 'l':
      case 't':
        this.stack.push(this.popToMark());
        return;
      case '\x85':
      case '\x86':
      case '\x87': {
        const count = opcode.charCodeAt(0) - 0x84;
        this.stack.push(this.stack.splice(-count).map((item) => this.value(item)));
        return;
      }
      case 'N':
        this.stack.push(null);
        return;
      case '\x88':
      case '\x89':
        this.stack.push(opcode === '\x88');
        return;
      case 'X':
        this.stack.push(this.text(this.take(4).readUInt32LE()));
        return;
      case '\x8c':
        this.stack.push(this.text(this.take(1).readUInt8()));
        return;
      case '\x8d':
        this.stack.push(this.text(Number(this.take(8).readBigUInt64LE())));
        return;
      case 'J':
        this.stack.push(this.take(4).readInt32LE());
        return;
      case 'K':
        this.stack.push(this.take(1).readUInt8());
        return;
      case 'M':
        this.stack.push(this.take(2).readUInt16LE());
        return;
      case 'G':
        this.stack.push(this.take(8).readDoubleBE());
        return;
      case '\x94':
        this.memo.set(this.memo.size, this.peek());
        return;
      case 'q':
        this.memo.set(this.take(1).readUInt8(), this.peek());
        return;
      case 'r':
        this.memo.set(this.take(4).readUInt32LE(), this.peek());
        return;
      case 'h':
        this.stack.push(this.recall(this.take(1).readUInt8()));
        return;
      case 'j':
        this.stack.push(this.recall(this.take(4).readUInt32LE()));
        return;
      case 'a': {
        const item = this.pop();
        this.list().push(item);
        return;
      }
      case 'e': {
        const items = this.popToMark();
        const list = this.list();
        for (const item of items) list.push(item);
        return;
      }
      case 's': {
        const value = this.pop();
        const key = this.pop();
        this.fill(this.peek(), [key, value]);
        return;
      }
      case 'u': {
        const items = this.popToMark();
        this.fill(this.peek(), items);
        return;
      }
      default:
        throw this.error(
          `opcode 0x${opcode.charCodeAt(0).toString(16)} at byte ${this.at - 1} makes more than texts`,
        );
    }
  }

  private take(count: number): Buffer {
    const start = this.at;
    this.at += count;
    if (this.at > this.bytes.length) throw this.error('it ends in the middle');
    return this.bytes.subarray(start, this.at);
  }

  private text(length: number): string {
    return this.take(length).toString('utf8');
  }

  private value(item: Unpickled | typeof mark | undefined): Unpickled {
    if (item === undefined || item === mark) throw this.error('its stack is broken');
    return item;
  }

  private pop(): Unpickled {
    return this.value(this.stack.pop());
  }

  private peek(): Unpickled {
    return this.value(this.stack.at(-1));
  }

  private popToMark(): Unpickled[] {
    const start = this.stack.lastIndexOf(mark);
    if (start < 0) throw this.error('its stack is broken');
    const items = this.stack.splice(start).slice(1);
    return items.map((item) => this.value(item));
  }

  private list(): Unpickled[] {
    const list = this.peek();
    if (!Array.isArray(list)) throw this.error('its stack is broken');
    return list;
  }

  private fill(dict: Unpickled, items: readonly Unpickled[]): Unpickled {
    if (!(dict instanceof Map) || items.length % 2 !== 0) throw this.error('its stack is broken');
    for (let i = 0; i < items.length; i += 2) dict.set(items[i] as Unpickled, items[i + 1] as Unpickled);
    return dict;
  }

  private recall(index: number): Unpickled {
    return this.value(this.memo.get(index));
  }

  private error(problem: string, cause?: unknown): UserError {
    return new UserError(`The pickle cannot be read: ${problem}`, { place: { file: this.file }, cause });
  }
}
