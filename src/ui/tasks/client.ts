import { Worker } from 'node:worker_threads';
import { cancelledError, entryUrl, UserError, type WorkOptions } from '../../base/index.ts';
import { type FromTask, type TaskRequest, type ToTask, unpackError } from './protocol.ts';
import type { TaskInput, TaskName, TaskResult } from './tasks.ts';

/** A cancelled task that does not notice is ended by force; what it wrote stands beside, never under, its name. */
const patienceMilliseconds = 10_000;

/** Runs a task in a thread of its own and settles as it does; its errors arrive as they were thrown. */
export function runTask<N extends TaskName>(
  name: N,
  input: TaskInput<N>,
  { signal, onProgress }: WorkOptions = {},
): Promise<TaskResult<N>> {
  if (signal?.aborted) return Promise.reject(cancelledError('The task'));
  return new Promise((resolve, reject) => {
    const worker = new Worker(entryUrl('task-worker'), { workerData: { name, input } satisfies TaskRequest });
    let force: NodeJS.Timeout | undefined;
    const cancel = () => {
      worker.postMessage({ kind: 'cancel' } satisfies ToTask);
      force = setTimeout(() => void worker.terminate(), patienceMilliseconds);
    };
    signal?.addEventListener('abort', cancel, { once: true });
    worker.on('message', (message: FromTask) => {
      if (message.kind === 'progress') onProgress?.(message.progress);
      else if (message.kind === 'done') resolve(message.result as TaskResult<N>);
      else reject(unpackError(message.error));
    });
    worker.on('error', (cause) =>
      reject(
        new UserError(`The worker of the task "${name}" failed: ${cause.message}`, { kind: 'work', cause }),
      ),
    );
    worker.on('exit', (code) => {
      clearTimeout(force);
      signal?.removeEventListener('abort', cancel);
      // Without effect when the task has settled.
      reject(
        signal?.aborted
          ? cancelledError('The task')
          : new UserError(`The worker of the task "${name}" ended early with code ${code}`, { kind: 'work' }),
      );
    });
  });
}
