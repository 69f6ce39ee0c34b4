import { baseUrl, call, NoReply, type Reply, throwIfCancelled, UserError } from '../base/index.ts';
import { healthSchema } from './contract.ts';
import type { Endpoint } from './types.ts';

/** Within this an endpoint must say anything at all. */
const contactTimeout = 10_000;

/**
 * Takes the URL of a server that runs. Any HTTP answer will do, as it does for the organizers; whether it keeps the
 * contract is {@link checkContract}'s business. Throws a usage error within 15 s when nothing answers.
 */
export async function connect(
  url: string,
  options: { readonly signal?: AbortSignal } = {},
): Promise<Endpoint> {
  const base = baseUrl(url);
  const reply = await contact(base, options.signal);
  return { url: base, via: 'external', title: servedModel(reply) ?? new URL(base).host };
}

/** The first answer of an endpoint: of /health, which not all have, or of the cheapest address that all have. */
export async function contact(
  base: string,
  signal: AbortSignal | undefined,
  timeoutMs = contactTimeout,
): Promise<Reply> {
  const done = new AbortController();
  const calls = { timeoutMs, signal: done.signal };
  const cancel = () => done.abort();
  signal?.addEventListener('abort', cancel, { once: true });
  try {
    throwIfCancelled(signal, 'Connecting');
    return await Promise.any([
      call(`${base}/health`, { ...calls, method: 'GET' }),
      call(`${base}/tokenize`, { ...calls, body: '{"text": "a", "truncation": true, "max_length": 5}' }),
    ]);
  } catch (error) {
    throwIfCancelled(signal, 'Connecting');
    const [cause] = error instanceof AggregateError ? error.errors : [error];
    const why = cause instanceof NoReply ? cause.message : String(cause);
    throw new UserError(`The endpoint ${base} does not answer: ${why}`, {
      place: { url: base },
      remedy: 'Check that the server runs, and its host and port.',
      cause,
    });
  } finally {
    signal?.removeEventListener('abort', cancel);
    done.abort();
  }
}

/** The model that a server of ours says it serves. */
function servedModel({ text }: Reply): string | undefined {
  try {
    const health = healthSchema.safeParse(JSON.parse(text));
    return health.success ? health.data.model : undefined;
  } catch {
    return undefined;
  }
}
