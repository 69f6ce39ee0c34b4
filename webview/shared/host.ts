interface HostApi {
  postMessage(message: unknown): void;
  getState(): unknown;
  setState(state: unknown): void;
}

declare function acquireVsCodeApi(): HostApi;

const api = acquireVsCodeApi();

/** Checks a message; zod's schemas do. */
interface Check<T> {
  safeParse(value: unknown): { success: true; data: T } | { success: false; error: unknown };
}

/** The extension's side of a page, with the messages of that page. */
export class Host<To, From> {
  readonly #schema: Check<To>;

  constructor(schema: Check<To>) {
    this.#schema = schema;
  }

  send(message: From): void {
    api.postMessage(message);
  }

  /** Calls `listener` for every message that fits the schema; others are a defect and are reported. */
  onMessage(listener: (message: To) => void): void {
    window.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
      const parsed = this.#schema.safeParse(data);
      if (parsed.success) listener(parsed.data);
      else console.error('a message of the extension is not understood', parsed.error);
    });
  }
}

/** What a page keeps of its own over a reload: sorting, filters, scroll position; never data. */
export class PageState<S extends object> {
  #value: S;

  constructor(initial: S) {
    const saved = api.getState();
    this.#value = { ...initial, ...(typeof saved === 'object' ? saved : {}) };
  }

  get value(): S {
    return this.#value;
  }

  update(change: Partial<S>): void {
    this.#value = { ...this.#value, ...change };
    api.setState(this.#value);
  }
}
