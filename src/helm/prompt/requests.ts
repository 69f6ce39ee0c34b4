import { asciiString, pythonFloat } from '../python/json.ts';
import type { AdapterSpec, HelmRequest, Instance, RequestState } from '../spec.ts';
import type { ProcessRequest } from '../types.ts';
import { letterMapping, promptParts } from './layout.ts';
import { fitPrompt, type WindowTokenizer } from './window.ts';

/** The request for one instance of one trial, fitted into the window. */
export async function buildRequest(
  instance: Instance,
  examples: readonly Instance[],
  trial: number,
  adapter: AdapterSpec,
  tokenizer: WindowTokenizer,
): Promise<{ state: RequestState; promptTokens?: number }> {
  const fitted = await fitPrompt(promptParts(instance, examples, adapter), tokenizer);
  const choice = adapter.method === 'multiple_choice_joint';
  const request: HelmRequest = {
    model_deployment: adapter.model_deployment,
    model: adapter.model,
    embedding: false,
    prompt: fitted.text,
    temperature: adapter.temperature,
    // A letter is asked once, with as many candidates as there are outputs; its stop sequences are dropped.
    num_completions: choice ? 1 : adapter.num_outputs,
    top_k_per_token: choice ? adapter.num_outputs : 1,
    max_tokens: adapter.max_tokens,
    stop_sequences: choice ? [] : adapter.stop_sequences,
    echo_prompt: false,
    top_p: 1,
    presence_penalty: 0,
    frequency_penalty: 0,
  };
  const state: RequestState = {
    instance,
    train_trial_index: trial,
    ...(choice ? { output_mapping: letterMapping(instance, adapter) } : {}),
    request,
    num_train_instances: fitted.examples,
    prompt_truncated: fitted.truncated,
  };
  return { state, ...(fitted.tokens === undefined ? {} : { promptTokens: fitted.tokens }) };
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
