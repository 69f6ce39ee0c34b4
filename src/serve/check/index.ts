import { baseUrl, type WorkOptions } from '../../base/index.ts';
import { contact } from '../connect.ts';
import type { ContractCheck, ContractReport } from '../types.ts';
import { answerProbes } from './answer-probes.ts';
import { completionProbes } from './completion-probes.ts';
import { Broken, CheckSession, type SessionOptions } from './session.ts';
import { tokenProbes } from './token-probes.ts';

export interface CheckOptions extends WorkOptions {
  /** Milliseconds for one answer of an address; 60 s for /process and 30 s for the others unless told. */
  readonly timeouts?: Partial<SessionOptions['timeouts']>;
  /** Milliseconds for the very first answer; 10 s unless told. */
  readonly contactTimeout?: number;
}

const probes = [...completionProbes, ...tokenProbes, ...answerProbes];

const defaultTimeouts = { '/process': 60_000, '/tokenize': 30_000, '/decode': 30_000 } as const;

/**
 * Checks whether an endpoint keeps the challenge's HTTP contract, probe by probe. An address that does not answer in
 * time is not asked again, so the whole check takes a few minutes at most. Throws a usage error within 15 s when
 * nothing answers at all.
 */
export async function checkContract(url: string, options: CheckOptions = {}): Promise<ContractReport> {
  const { signal, onProgress } = options;
  const base = baseUrl(url);
  await contact(base, signal, options.contactTimeout);
  const session = new CheckSession(base, {
    timeouts: { ...defaultTimeouts, ...options.timeouts },
    ...(signal && { signal }),
  });
  const checks: ContractCheck[] = [];
  for (const { id, title, run } of probes) {
    onProgress?.({ done: checks.length, total: probes.length, unit: 'checks', message: title });
    checks.push({ id, title, ...(await outcome(run(session))) });
  }
  onProgress?.({ done: checks.length, total: probes.length, unit: 'checks' });
  return { pass: checks.every(({ pass }) => pass), checks };
}

async function outcome(run: Promise<string>): Promise<Pick<ContractCheck, 'pass' | 'detail'>> {
  try {
    return { pass: true, detail: await run };
  } catch (error) {
    if (error instanceof Broken) return { pass: false, detail: error.message };
    throw error;
  }
}
