import { strip } from '../python/text.ts';
import { type AdapterSpec, type Completion, isCorrect, type RequestState, type Token } from '../spec.ts';
import { Stat } from './stat.ts';
import { stringMetrics } from './strings.ts';

/** A request with its answer, as metrics see it. */
export interface AnsweredState extends RequestState {
  readonly completion: Completion;
  /** Tokens of the scored reference by itself, where references are scored. */
  readonly referenceTokens?: number;
  /** Tokens of the prompt, as the server's /tokenize counts them. */
  readonly promptTokens: number;
}

function stat(name: string, value: number | boolean | undefined): Stat {
  return new Stat({ name }).add(value);
}

const finishReasons = ['length', 'stop', 'endoftext', 'unknown'];

/** Tokens that the model wrote itself; echoed prompts do not count. */
function outputTokens({ completion, promptTokens, request }: AnsweredState): number {
  return Math.max(0, completion.tokens.length - (request.echo_prompt ? promptTokens : 0));
}

/** What HELM measures of every request, whatever the scenario. */
export function requestStats(state: AnsweredState, adapter: AdapterSpec): Stat[] {
  const { completion } = state;
  return [
    stat('num_references', state.instance.references.length),
    stat('num_train_trials', adapter.num_train_trials),
    stat('num_prompt_tokens', state.promptTokens),
    stat('num_completion_tokens', completion.tokens.length),
    stat('num_output_tokens', outputTokens(state)),
    // HELM writes both without a value for models that are in none of its tables.
    stat('training_co2_cost', undefined),
    stat('training_energy_cost', undefined),
    stat('inference_runtime', completion.request_time),
    stat('batch_size', 1),
    // The endpoint never says why it stopped.
    ...finishReasons.map((reason) => stat(`finish_reason_${reason}`, reason === 'unknown')),
    stat('num_train_instances', state.num_train_instances),
    stat('prompt_truncated', state.prompt_truncated),
  ];
}

/** What the model answered, in terms of the references: the text, or what the letter stands for. */
export function prediction(state: AnsweredState): string {
  const text = strip(state.completion.text);
  if (!state.output_mapping) return text;
  return Object.hasOwn(state.output_mapping, text) ? (state.output_mapping[text] as string) : '';
}

/** Probability of the answer and the named string metrics, each the best over the correct references. */
export function referenceStats(state: AnsweredState, names: readonly string[], adapter: AdapterSpec): Stat[] {
  const golds = state.instance.references.filter(isCorrect).map(({ output }) => output.text);
  const answer = prediction(state);
  const stats = [stat('max_prob', Math.exp(state.completion.logprob))];
  for (const name of names) {
    const metric = Object.hasOwn(stringMetrics, name) ? stringMetrics[name] : undefined;
    if (!metric) continue;
    const score = Math.max(...golds.map((gold) => metric(gold, answer)));
    stats.push(stat(name, score));
    // Over several completions; the endpoint returns one, so that both are equal.
    if (adapter.num_outputs !== 1) stats.push(stat(`${name}@${adapter.num_outputs}`, score));
  }
  return stats;
}

/** Bytes of a token's text; `bytes:\x..` stands for raw bytes. */
function tokenBytes({ text }: Token): number {
  return text.startsWith('bytes:') ? text.split('\\x').length - 1 : Buffer.byteLength(text);
}

export function languageModelStats({ completion: { tokens } }: AnsweredState): Stat[] {
  return [
    stat(
      'logprob',
      tokens.reduce((sum, { logprob }) => sum + logprob, 0),
    ),
    stat('num_perplexity_tokens', tokens.length),
    stat(
      'num_bytes',
      tokens.reduce((sum, token) => sum + tokenBytes(token), 0),
    ),
  ];
}

/** Perplexity and its kin, from the sums over the instances of one context. */
export function perplexityStats(byName: ReadonlyMap<string, Stat>): Stat[] {
  const logprob = byName.get('logprob');
  const tokens = byName.get('num_perplexity_tokens')?.sum ?? 0;
  const bytes = byName.get('num_bytes')?.sum ?? 0;
  if (!logprob) return [];
  return [
    ...(tokens > 0 ? [stat('perplexity', Math.exp(-logprob.sum / tokens))] : []),
    ...(bytes > 0
      ? [
          stat('bits_per_byte', -logprob.sum / bytes / Math.LN2),
          stat('logprob_per_byte', logprob.sum / bytes),
        ]
      : []),
  ];
}
