import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { cancelledError, folderAtomic, throwIfCancelled, UserError } from '../../base/index.ts';
import { AnswerError } from '../client/answers.ts';
import { HelmClient } from '../client/client.ts';
import { AnswerStore } from '../client/store.ts';
import type { AnsweredState } from '../metrics/generation.ts';
import { missingMetrics, RunMetrics } from '../metrics/run-metrics.ts';
import { type BuiltRequest, buildRequests, processRequest } from '../prompt/requests.ts';
import type { Instance } from '../spec.ts';
import type { EvaluateOptions, Evaluation, RunSummary } from '../types.ts';
import { type Failure, RunDirectory } from './directory.ts';
import { runFolderName } from './folder-name.ts';
import { inOrder } from './in-order.ts';
import { mainMetrics } from './main-metrics.ts';
import { checkName, type PreparedRun, plan } from './plan.ts';

/** Failures in a row after which nothing more is sent: sooner where the endpoint never gave a usable answer. */
const failuresBeforeAnswer = 8;
const failuresInARow = 24;

type Outcome = { readonly answered: readonly AnsweredState[] } | { readonly failure: Failure };

/**
 * Sends the prompts of a suite to an endpoint as HELM does, scores the answers and writes HELM run directories, each
 * whole or not at all. Instances without a usable answer are counted as failed; the others are scored.
 * @throws UserError usage where the suite is unusable or nothing answers at `url`, cancelled where the signal aborts
 */
export async function evaluate(url: string, options: EvaluateOptions): Promise<Evaluation> {
  const started = performance.now();
  const out = resolve(options.out);
  throwIfCancelled(options.signal, 'The evaluation');
  const { suite, runs } = await plan({ ...options, out });
  const folder = join(out, 'runs', checkName(options.runSuite ?? suite, 'run suite'));
  const warnings: string[] = [];
  const concurrency = options.concurrency ?? 4;
  const name = options.name ?? 'local';
  // Contact comes first: a wrong URL must not cost the answers of an earlier evaluation.
  const probe = new HelmClient(url, {
    concurrency: 1,
    ...(options.signal ? { signal: options.signal } : {}),
  });
  await probe.contact().finally(() => probe.close());
  const store = await AnswerStore.open(
    join(folder, 'eval_cache', `${name}.answers`),
    options.resume ?? false,
  );
  const client = new HelmClient(url, {
    concurrency,
    store,
    onWarning: (message) => warnings.push(message),
    ...(options.signal ? { signal: options.signal } : {}),
  });
  try {
    for (const { spec } of runs) {
      const missing = missingMetrics(spec.metric_specs);
      if (missing.length > 0)
        warnings.push(`${spec.name}: ${missing.join(', ')} left out: NLTK’s punkt data is not read`);
    }
    const evaluation = new Evaluator(client, runs, folder, { ...options, concurrency });
    const summaries: RunSummary[] = [];
    for (const run of runs) summaries.push(await evaluation.run(run));
    const seconds = (performance.now() - started) / 1000;
    return { runs: summaries, seconds, requestsPerSecond: client.answered / seconds, warnings };
  } catch (error) {
    if (options.signal?.aborted) throw cancelled(store.file);
    throw error;
  } finally {
    client.close();
    await store.close();
  }
}

function cancelled(file: string): UserError {
  const { message } = cancelledError('The evaluation');
  return new UserError(message, {
    kind: 'cancelled',
    remedy: `What was answered is kept in ${file}: --resume takes it from there.`,
  });
}

class Evaluator {
  private readonly client: HelmClient;
  private readonly folder: string;
  private readonly options: EvaluateOptions & { readonly concurrency: number };
  private readonly total: number;
  private done = 0;
  private failuresInARow = 0;
  private anyAnswer = false;

  constructor(
    client: HelmClient,
    runs: readonly PreparedRun[],
    folder: string,
    options: EvaluateOptions & { readonly concurrency: number },
  ) {
    this.client = client;
    this.folder = folder;
    this.options = options;
    this.total = runs.reduce((sum, { evaluation, examples }) => sum + evaluation.length * examples.length, 0);
  }

  async run(run: PreparedRun): Promise<RunSummary> {
    const folder = join(this.folder, runFolderName(run.spec.name));
    const { adapter_spec: adapter, metric_specs: metricSpecs } = run.spec;
    const metrics = new RunMetrics(metricSpecs, adapter);
    const problems = new Set<string>();
    let failed = 0;
    let answered = 0;
    const write = async (temporary: string): Promise<void> => {
      const directory = await RunDirectory.create(temporary, run.spec, run.info);
      try {
        for (const [trial, examples] of run.examples.entries()) {
          const ask = (instance: Instance) => this.ask(run, instance, examples, trial);
          for await (const outcome of inOrder(run.evaluation, this.options.concurrency, ask)) {
            if ('answered' in outcome) {
              answered++;
              await directory.add(outcome.answered, metrics.add(outcome.answered));
            } else {
              failed++;
              problems.add(outcome.failure.error);
              directory.addFailure(outcome.failure);
            }
          }
          metrics.endTrial();
        }
        await directory.finish(metrics.stats());
      } catch (error) {
        await directory.abandon();
        throw error;
      }
      // An endpoint that answers nothing must not replace a run that has answers.
      if (answered === 0 && failed > 0 && (await exists(folder))) throw new NothingAnswered();
    };
    await folderAtomic(folder, write).catch((error: unknown) => {
      if (!(error instanceof NothingAnswered)) throw error;
    });
    return {
      name: run.spec.name,
      folder,
      instances: run.evaluation.length * run.examples.length,
      failed,
      metrics: mainMetrics(metrics.stats(), run.scenario.main),
      problems: [...problems],
    };
  }

  private async ask(
    run: PreparedRun,
    instance: Instance,
    examples: readonly Instance[],
    trial: number,
  ): Promise<Outcome> {
    throwIfCancelled(this.options.signal, 'The evaluation');
    const fail = (error: string): Outcome => ({ failure: { instance, trial, error } });
    try {
      const limit = this.anyAnswer ? failuresInARow : failuresBeforeAnswer;
      if (this.failuresInARow >= limit) return fail(`Not sent: ${limit} requests in a row had failed before`);
      const adapter = run.spec.adapter_spec;
      const answered: AnsweredState[] = [];
      for (const request of await buildRequests(instance, examples, trial, adapter, this.client)) {
        answered.push(await this.answer(request));
      }
      this.failuresInARow = 0;
      this.anyAnswer = true;
      return { answered };
    } catch (error) {
      if (!(error instanceof AnswerError) || this.options.signal?.aborted) throw error;
      this.failuresInARow++;
      return fail(error.message);
    } finally {
      this.done++;
      this.options.onProgress?.({
        done: this.done,
        total: this.total,
        unit: 'requests',
        message: run.spec.name,
      });
    }
  }

  private async answer({ state, promptTokens }: BuiltRequest): Promise<AnsweredState> {
    const completion = await this.client.process(processRequest(state.request));
    // HELM counts the prompt's tokens again for its metrics; the count of the same text is taken from fitting.
    const tokens = promptTokens ?? (await this.client.countTokens(state.request.prompt));
    const reference =
      state.reference_index === undefined ? undefined : state.instance.references[state.reference_index];
    if (!reference) return { ...state, completion, promptTokens: tokens };
    const referenceTokens = await this.client.countTokens(` ${reference.output.text}`);
    return { ...state, completion, promptTokens: tokens, referenceTokens };
  }
}

/** Ends the writing of a run that has nothing to say. */
class NothingAnswered extends Error {}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
