// The thread of one task. It ends when the task has.
import { parentPort, workerData } from 'node:worker_threads';
import type { WorkOptions } from '../../base/index.ts';
import { type FromTask, packError, type TaskRequest, type ToTask } from './protocol.ts';
import { tasks } from './tasks.ts';

const progressMilliseconds = 100;

async function main(): Promise<void> {
  const port = parentPort;
  if (port === null) throw new Error('the task worker runs as a thread only');
  const { name, input } = workerData as TaskRequest;
  const controller = new AbortController();
  port.on('message', ({ kind }: ToTask) => {
    if (kind === 'cancel') controller.abort();
  });
  const send = (message: FromTask) => port.postMessage(message);
  let toldAt = Number.NEGATIVE_INFINITY;
  const work: WorkOptions = {
    signal: controller.signal,
    onProgress: (progress) => {
      const now = performance.now();
      if (now - toldAt < progressMilliseconds && progress.done < progress.total) return;
      toldAt = now;
      send({ kind: 'progress', progress });
    },
  };
  try {
    // The typed client is the only one that writes requests.
    const run = tasks[name as keyof typeof tasks] as (input: unknown, work: WorkOptions) => Promise<unknown>;
    send({ kind: 'done', result: await run(input, work) });
  } catch (error) {
    send({ kind: 'failed', error: packError(error) });
  } finally {
    port.close();
  }
}

await main();
