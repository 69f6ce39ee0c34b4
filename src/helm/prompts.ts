import { buildRequests, processRequest } from './prompt/requests.ts';
import { unlimitedWindow } from './prompt/window.ts';
import { plan } from './run/plan.ts';
import type { PromptOptions, SamplePrompt } from './types.ts';

/**
 * The requests that an evaluation would send, in its order, without an endpoint: as if every prompt fitted the window,
 * which only the server's own tokenizer can tell.
 */
export async function buildPrompts(options: PromptOptions = {}): Promise<SamplePrompt[]> {
  const { suite = options.conf ?? 'sample', out = 'benchmark_output', ...rest } = options;
  const prompts: SamplePrompt[] = [];
  for (const { spec, evaluation, examples } of (await plan({ ...rest, suite, out })).runs) {
    for (const [trial, shared] of examples.entries()) {
      for (const instance of evaluation) {
        const requests = await buildRequests(instance, shared, trial, spec.adapter_spec, unlimitedWindow);
        for (const { state } of requests) {
          prompts.push({
            scenario: spec.name,
            instanceId: instance.id,
            request: processRequest(state.request),
          });
        }
      }
    }
  }
  return prompts;
}
