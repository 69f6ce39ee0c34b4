import { availableParallelism } from 'node:os';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { UserError } from '../base/index.ts';
import { openCheckpoint } from '../checkpoint/index.ts';
import { type DecoderConfig, readDecoderConfig } from './config.ts';
import { buildDecoderGraph, graphNames } from './graph.ts';
import { KvCache } from './kv-cache.ts';
import { ropeFrequencies, ropeTables } from './rope.ts';
import { findWeights, type Weights } from './weights.ts';

/** A graph that is larger than this folds its casts nevertheless: without, each run would cast anew. */
const foldingLimit = String(2 ** 40);

/** What to report of the next token after each asked row. */
export interface Question {
  /** Which of the new tokens; the next token after each is asked for. */
  readonly rows: readonly number[];
  /** How many candidates to report, at least 1. */
  readonly candidates: number;
  /** For each row a token whose log-probability is asked for. */
  readonly targets?: readonly number[];
  /** Also the log-probabilities of the whole vocabulary. */
  readonly all?: boolean;
}

/** Log-probabilities of the next token, row by row. */
export interface Answer {
  /** [rows, candidates], most likely first. */
  readonly topIds: BigInt64Array;
  readonly topLogprobs: Float32Array;
  /** [rows] */
  readonly targets?: Float32Array;
  /** [rows, vocabulary] */
  readonly all?: Float32Array;
}

export interface DecoderOptions {
  /** Threads for one operator; as many as pay unless told. */
  readonly threads?: number;
}

/** A checkpoint of the Llama family on onnxruntime's CPU provider, with the cache of one sequence. */
export class Decoder {
  readonly config: DecoderConfig;
  readonly cache: KvCache;
  private readonly session: InferenceSession;
  private readonly frequencies: Float32Array;
  /** Inputs that stay the same until the cache grows: the cache itself and the rotation tables. */
  private fixed: Record<string, Tensor> = {};
  private readonly cacheOutputs: readonly string[];

  private constructor(config: DecoderConfig, session: InferenceSession) {
    this.config = config;
    this.session = session;
    this.cache = new KvCache(config.layers, config.kvHeads, config.headSize, config.contextTokens);
    this.frequencies = ropeFrequencies(config.rope, config.headSize);
    this.cacheOutputs = Array.from({ length: config.layers }, (_, layer) => [
      graphNames.newKeys(layer),
      graphNames.newValues(layer),
    ]).flat();
  }

  /** Opens a checkpoint. Throws a usage error that names the field or tensor when it cannot be run. */
  static async open(folder: string, options: DecoderOptions = {}): Promise<Decoder> {
    const checkpoint = await openCheckpoint(folder);
    const config = readDecoderConfig(checkpoint.folder, checkpoint.config);
    const weights = await findWeights(checkpoint, config);
    const graph = buildDecoderGraph(config, weights);
    try {
      return new Decoder(config, await createSession(graph, weights, options));
    } catch (cause) {
      const why = cause instanceof Error ? cause.message.split('\n', 1)[0] : String(cause);
      throw new UserError(`The model runtime cannot open the checkpoint: ${why}`, {
        kind: 'work',
        place: { file: folder },
        cause,
      });
    }
  }

  /**
   * Runs new tokens behind those in the cache, and adds them to it. The caller sees to it that all fit the context.
   * @param question what to report; nothing for tokens that are only to be remembered
   */
  async run(tokens: readonly number[], question?: Question): Promise<Answer | undefined> {
    const past = this.cache.tokens.length;
    const total = past + tokens.length;
    if (this.cache.reserve(total)) this.fixed = this.fixedInputs();
    const rows = question?.rows ?? [tokens.length - 1];
    const targets = question?.targets ?? rows.map(() => 0);
    const wanted = [...this.cacheOutputs];
    if (question) wanted.push(graphNames.topIds, graphNames.topLogprobs);
    if (question?.targets) wanted.push(graphNames.targetLogprobs);
    if (question?.all) wanted.push(graphNames.logprobs);
    const outputs = await this.session.run(
      {
        ...this.fixed,
        [graphNames.ids]: integers(tokens, [1, tokens.length]),
        [graphNames.positions]: integers(
          tokens.map((_, index) => past + index),
          [1, tokens.length],
        ),
        [graphNames.lastKey]: new Tensor('int32', Int32Array.of(total - 1), [1]),
        [graphNames.totalLength]: new Tensor('int32', Int32Array.of(total), [1]),
        [graphNames.rows]: integers(rows, [rows.length]),
        [graphNames.targets]: integers(targets, [1, rows.length, 1]),
        [graphNames.candidates]: integers([question?.candidates ?? 1], [1]),
      },
      wanted,
    );
    const floats = (name: string) => outputs[name]?.data as Float32Array;
    this.cache.append(
      tokens,
      this.cache.layers.map((_, layer) => ({
        keys: floats(graphNames.newKeys(layer)),
        values: floats(graphNames.newValues(layer)),
      })),
    );
    if (!question) return undefined;
    return {
      topIds: outputs[graphNames.topIds]?.data as BigInt64Array,
      topLogprobs: floats(graphNames.topLogprobs),
      ...(question.targets ? { targets: floats(graphNames.targetLogprobs) } : {}),
      ...(question.all ? { all: floats(graphNames.logprobs) } : {}),
    };
  }

  async close(): Promise<void> {
    await this.session.release();
  }

  private fixedInputs(): Record<string, Tensor> {
    const { kvHeads, headSize } = this.config;
    const { capacity } = this.cache;
    const { cos, sin } = ropeTables(this.frequencies, capacity);
    const table = [capacity, headSize / 2];
    const inputs: Record<string, Tensor> = {
      [graphNames.cos]: new Tensor('float32', cos, table),
      [graphNames.sin]: new Tensor('float32', sin, table),
    };
    const shape = [1, kvHeads, capacity, headSize];
    for (const [layer, { keys, values }] of this.cache.layers.entries()) {
      inputs[graphNames.pastKeys(layer)] = new Tensor('float32', keys, shape);
      inputs[graphNames.pastValues(layer)] = new Tensor('float32', values, shape);
    }
    return inputs;
  }
}

function integers(values: readonly number[], shape: readonly number[]): Tensor {
  return new Tensor('int64', BigInt64Array.from(values, BigInt), shape);
}

/** Below this many parameters, waking a second thread takes longer than what it computes. */
const smallModel = 3e7;

/** One core is left to whoever sends the requests, where there are more than two. */
function defaultThreads(parameters: number): number {
  const cores = availableParallelism();
  if (parameters < smallModel) return 1;
  return cores <= 2 ? cores : cores - 1;
}

function createSession(
  graph: Uint8Array,
  weights: Weights,
  { threads = defaultThreads(weights.parameters) }: DecoderOptions,
): Promise<InferenceSession> {
  const allSingle = [...weights.byName.values()].every(({ type }) => type === 'float32');
  return InferenceSession.create(graph, {
    executionProviders: ['cpu'],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
    // 4 is fatal: the runtime prints the rest to stderr, and what fails is thrown anyway.
    logSeverityLevel: 4,
    extra: {
      session: {
        model_external_initializers_file_folder_path: weights.root,
        // f32 weights are used where they are in the mapped file instead of being copied into another order.
        ...(allSingle ? { disable_prepacking: '1' } : {}),
        // Threads that wait busily win a little on free cores and lose much where another program needs one.
        ...(threads >= availableParallelism() ? { intra_op: { allow_spinning: '0' } } : {}),
      },
      optimization: { constant_folding_max_output_size_in_bytes: foldingLimit },
    },
  });
}
