/**
 * Works on items `parallel` at a time and yields the results in the items' order. Runs ahead of a slow item, but not
 * without bound, so that memory does not grow with the number of items.
 */
export async function* inOrder<T, R>(
  items: Iterable<T>,
  parallel: number,
  work: (item: T) => Promise<R>,
): AsyncGenerator<R> {
  const ahead = parallel * 16;
  const pending: Promise<R>[] = [];
  const waiting: (() => void)[] = [];
  let active = 0;
  let stopped = false;
  const start = async (item: T): Promise<R> => {
    if (active >= parallel) await new Promise<void>((resolve) => waiting.push(resolve));
    if (stopped) throw new Error('Not started: nobody takes the results any more');
    active++;
    try {
      return await work(item);
    } finally {
      active--;
      waiting.shift()?.();
    }
  };
  try {
    for (const item of items) {
      const result = start(item);
      // A failure is thrown when its turn comes; until then it must not count as unhandled.
      result.catch(() => undefined);
      pending.push(result);
      if (pending.length >= ahead) yield await (pending.shift() as Promise<R>);
    }
    while (pending.length > 0) yield await (pending.shift() as Promise<R>);
  } finally {
    // Who takes the results may have failed; what still waits must not start then.
    stopped = true;
    for (const go of waiting.splice(0)) go();
  }
}
