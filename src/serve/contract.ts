import { z } from 'zod';

/** A field that clients may leave out or send as null. */
function optional<T extends z.ZodType>(schema: T, value: z.output<T>, description: string) {
  return schema
    .nullish()
    .transform((given) => given ?? value)
    .meta({ description: `${description} ${JSON.stringify(value)} unless given.` });
}

const wholeNumber = z.number().int().min(0);

/**
 * What `/process` takes: the eight fields of HELM's client, of which only the prompt is mandatory (the organizers'
 * health check sends nothing else), and the seed of the challenge's own description. Unknown fields are accepted.
 * The defaults of length and temperature are the challenge's.
 */
export const processRequestSchema = z.object({
  prompt: z.string().meta({ description: 'The text to go on from.' }),
  max_new_tokens: optional(wholeNumber, 50, 'Tokens to generate at most.'),
  temperature: optional(z.number().min(0), 0.8, 'Below 1e-5 the most likely token is taken.'),
  top_p: optional(
    z.number().min(0).max(1),
    1,
    'Tokens are drawn from the most likely ones of this probability.',
  ),
  top_k_per_token: optional(
    wholeNumber,
    1,
    'Candidates to report for each token. It does not limit sampling.',
  ),
  stop_sequences: optional(z.array(z.string()), [], 'The text ends before the first of these.'),
  echo_prompt: optional(z.boolean(), false, 'Put the prompt and its tokens before the completion.'),
  num_return_sequences: optional(wholeNumber, 1, 'Accepted; the answer is always one completion.'),
  seed: z.number().int().nullish().meta({ description: 'Makes sampling repeatable.' }),
});

const logprob = z.number().max(1e-6);
const seconds = z
  .number()
  .min(0)
  .meta({ description: 'Wall time of the request in seconds, waiting included.' });

export const tokenSchema = z.object({
  text: z.string().meta({ description: 'Bytes that are no whole characters are written bytes:\\xe2\\x82.' }),
  logprob: logprob.meta({ description: "Natural logarithm of the model's own probability." }),
  top_logprob: z
    .record(z.string(), z.number())
    .optional()
    .meta({ description: 'The most likely tokens; HELM needed it until February 2024.' }),
});

export const processResponseSchema = z.object({
  text: z.string().meta({ description: 'The completion, without prompt and stop sequence.' }),
  tokens: z
    .array(tokenSchema)
    .meta({ description: 'The generated tokens; with echo_prompt the prompt’s first.' }),
  logprob: logprob.meta({ description: 'Sum over the tokens.' }),
  request_time: seconds,
});

export const tokenizeRequestSchema = z.object({
  text: z.string(),
  truncation: optional(z.boolean(), true, 'Cut after max_length tokens.'),
  max_length: optional(wholeNumber, 2048, 'Tokens to return at most, with truncation.'),
});

export const tokenizeResponseSchema = z.object({
  tokens: z.array(z.union([wholeNumber, z.string()])).meta({ description: 'What /decode takes back.' }),
  request_time: seconds,
});

export const decodeRequestSchema = z.object({
  tokens: z.array(wholeNumber).meta({ description: 'From /tokenize.' }),
});

export const decodeResponseSchema = z.object({ text: z.string(), request_time: seconds });

export const healthSchema = z.object({
  status: z.enum(['ok', 'loading', 'failed']),
  model: z.string(),
  architecture: z.string().optional(),
  provider: z.string().optional(),
  context_tokens: z.number().int().optional(),
  waiting: z.number().int().min(0).meta({ description: 'Requests that are worked on or wait.' }),
});

export const errorSchema = z.object({ detail: z.string() });

export type ProcessResponse = z.infer<typeof processResponseSchema>;
export type TokenizeResponse = z.infer<typeof tokenizeResponseSchema>;
export type DecodeResponse = z.infer<typeof decodeResponseSchema>;
export type Health = z.infer<typeof healthSchema>;

const endpoints = [
  ['post', '/process', 'Complete a prompt', 'ProcessResponse', 'ProcessRequest'],
  ['post', '/tokenize', 'Text to tokens', 'TokenizeResponse', 'TokenizeRequest'],
  ['post', '/decode', 'Tokens to text', 'DecodeResponse', 'DecodeRequest'],
  ['get', '/health', 'Whether the model is ready', 'Health', undefined],
] as const;

/** The OpenAPI 3.1 description of the contract, from the same schemas that validate. */
export function openApi(version: string): Record<string, unknown> {
  const named = z.registry<{ id: string }>();
  named.add(processRequestSchema, { id: 'ProcessRequest' });
  named.add(processResponseSchema, { id: 'ProcessResponse' });
  named.add(tokenSchema, { id: 'Token' });
  named.add(tokenizeRequestSchema, { id: 'TokenizeRequest' });
  named.add(tokenizeResponseSchema, { id: 'TokenizeResponse' });
  named.add(decodeRequestSchema, { id: 'DecodeRequest' });
  named.add(decodeResponseSchema, { id: 'DecodeResponse' });
  named.add(healthSchema, { id: 'Health' });
  named.add(errorSchema, { id: 'Error' });
  const pointer = (id: string) => `#/components/schemas/${id}`;
  const { schemas } = z.toJSONSchema(named, { io: 'input', uri: pointer, metadata: z.globalRegistry });
  const json = (id: string) => ({ 'application/json': { schema: { $ref: pointer(id) } } });
  const paths = endpoints.map(([method, path, summary, response, request]) => {
    const refusal = { description: 'The request cannot be answered', content: json('Error') };
    const operation = {
      summary,
      ...(request ? { requestBody: { required: true, content: json(request) } } : {}),
      responses: { 200: { description: 'OK', content: json(response) }, default: refusal },
    };
    return [path, { [method]: operation }];
  });
  const components = Object.entries(schemas).map(([id, { $schema: _, $id: __, ...schema }]) => [id, schema]);
  return {
    openapi: '3.1.0',
    info: { title: 'LLM competition endpoint', version },
    paths: Object.fromEntries(paths),
    components: { schemas: Object.fromEntries(components) },
  };
}
