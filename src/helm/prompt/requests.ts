import { asciiString, pythonFloat } from '../python/json.ts';
import type { AdapterSpec, HelmRequest, Instance, RequestState } from '../spec.ts';
import type { ProcessRequest } from '../types.ts';
import { letterMapping, promptParts } from './layout.ts';
import { type FittedPrompt, fitPrompt, type WindowTokenizer } from './window.ts';

/** A request before it is sent. */
export interface BuiltRequest {
  readonly state: RequestState;
  /** Tokens of its prompt, where fitting has counted them. */
  readonly promptTokens?: number;
}

/** The requests for one instance of one trial, fitted into the window: one, or one for each reference. */
export async function buildRequests(
  instance: Instance,
  examples: readonly Instance[],
  trial: number,
  adapter: AdapterSpec,
  tokenizer: WindowTokenizer,
): Promise<BuiltRequest[]> {
  if (adapter.method === 'generation' || adapter.method === 'multiple_choice_joint') {
    const fitted = await fitPrompt(promptParts(instance, examples, adapter), tokenizer);
    const choice = adapter.method === 'multiple_choice_joint';
    const mapping = choice ? { output_mapping: letterMapping(instance, adapter) } : {};
    return [built({ instance, train_trial_index: trial, ...mapping }, fitted, requestFields(adapter))];
  }
  const requests: BuiltRequest[] = [];
  for (const [index, { output }] of instance.references.entries()) {
    const state = { instance, train_trial_index: trial, reference_index: index };
    const score = async (asked: Instance, shared: readonly Instance[], mode: 'original' | 'calibration') => {
      const fitted = await fitPrompt(promptParts(asked, shared, adapter, output.text), tokenizer);
      requests.push(built({ ...state, request_mode: mode }, fitted, requestFields(adapter)));
    };
    await score(instance, examples, 'original');
    if (adapter.method === 'multiple_choice_separate_calibrated') {
      await score({ ...instance, input: { text: 'Answer:' } }, [], 'calibration');
    }
  }
  return requests;
}

type StateStart = Omit<RequestState, 'request' | 'num_train_instances' | 'prompt_truncated'>;

function built(start: StateStart, fitted: FittedPrompt, fields: Omit<HelmRequest, 'prompt'>): BuiltRequest {
  const state: RequestState = {
    ...start,
    request: { ...fields, prompt: fitted.text },
    num_train_instances: fitted.examples,
    prompt_truncated: fitted.truncated,
  };
  return { state, ...(fitted.tokens === undefined ? {} : { promptTokens: fitted.tokens }) };
}

function requestFields(adapter: AdapterSpec): Omit<HelmRequest, 'prompt'> {
  const generates = adapter.method === 'generation';
  const choice = adapter.method === 'multiple_choice_joint';
  return {
    model_deployment: adapter.model_deployment,
    model: adapter.model,
    embedding: false,
    temperature: generates || choice ? adapter.temperature : 0,
    // A letter is asked once, with as many candidates as there are outputs; its stop sequences are dropped.
    num_completions: generates ? adapter.num_outputs : 1,
    top_k_per_token: choice ? adapter.num_outputs : 1,
    max_tokens: generates || choice ? adapter.max_tokens : 0,
    stop_sequences: generates ? adapter.stop_sequences : [],
    // Scoring a reference takes the log-probabilities of the prompt.
    echo_prompt: !generates && !choice,
    top_p: 1,
    presence_penalty: 0,
    frequency_penalty: 0,
  };
}

/** The eight fields that HELM's client sends; temperature 0 travels as 1e-7. */
export function processRequest(request: HelmRequest): ProcessRequest {
  return {
    prompt: request.prompt,
    temperature: request.temperature === 0 ? 1e-7 : request.temperature,
    num_return_sequences: request.num_completions,
    max_new_tokens: request.max_tokens,
    top_p: request.top_p,
    echo_prompt: request.echo_prompt,
    top_k_per_token: request.top_k_per_token,
    stop_sequences: request.stop_sequences,
  };
}

/** The body of a /process request, byte for byte as HELM's client writes it. */
export function processBody(request: ProcessRequest): string {
  const stop = request.stop_sequences.map(asciiString).join(', ');
  return (
    `{"prompt": ${asciiString(request.prompt)}, "temperature": ${pythonFloat(request.temperature)}, ` +
    `"num_return_sequences": ${request.num_return_sequences}, "max_new_tokens": ${request.max_new_tokens}, ` +
    `"top_p": ${request.top_p}, "echo_prompt": ${request.echo_prompt}, ` +
    `"top_k_per_token": ${request.top_k_per_token}, "stop_sequences": [${stop}]}`
  );
}
