import { z } from 'zod';
import { type MergeMethod, methods, methodsByName, otherMergekitMethods } from '../methods/index.ts';

function unknownMethod(input: unknown): string {
  const known = methods.map((method) => method.name).join(', ');
  if (typeof input !== 'string') return `must name a merge method (${known})`;
  return otherMergekitMethods.has(input)
    ? `"${input}" is a method of mergekit that cannot be run here yet (can be: ${known})`
    : `"${input}" is no merge method (there are: ${known})`;
}

const scalar = z.union([z.number(), z.boolean(), z.string()]);
const gradient = z.array(scalar);
const conditional = z.strictObject({
  filter: z
    .string()
    .nullish()
    .describe('Part of a tensor name; `*` or nothing matches all. The first match in the list wins.'),
  value: z.union([scalar, gradient]),
});

/** One value, a gradient over the layers, or values by tensor name. */
const settingSchema = z.union([scalar, gradient, conditional, z.array(conditional)], {
  error: 'must be a value, a list of values (a gradient over the layers), or a list of {filter, value}',
});

const parametersSchema = z
  .record(z.string(), settingSchema)
  .describe('Parameters of the merge method, by name')
  .meta({ id: 'parameters' });

const path = z.string().min(1, 'must not be empty');

/** `path`, `path@revision`, `path+lora`, or the same as a map. */
const modelReferenceSchema = z
  .union(
    [
      path,
      z.strictObject({
        model: z.union([path, z.strictObject({ path, revision: z.string().nullish() })]),
        lora: z.union([path, z.strictObject({ path, revision: z.string().nullish() })]).nullish(),
        override_architecture: z.string().nullish(),
      }),
    ],
    { error: 'must be the folder of a model, or a map with `model`' },
  )
  .describe('Folder of a checkpoint, looked up beside the recipe and then in the working directory')
  .meta({ id: 'model' });

const inputSchema = z
  .strictObject({ model: modelReferenceSchema, parameters: parametersSchema.nullish() })
  .describe('A model that takes part, with parameters of its own');

const sliceSchema = z.strictObject({
  sources: z.array(
    z.strictObject({
      model: modelReferenceSchema,
      layer_range: z.tuple([z.int(), z.int()]).describe('First layer, and the one after the last'),
      parameters: parametersSchema.nullish(),
    }),
  ),
  base_model: modelReferenceSchema.nullish(),
  parameters: parametersSchema.nullish(),
  residual_weight: z.number().nullish(),
});

const moduleSchema = z.strictObject({
  models: z.array(inputSchema).nullish(),
  slices: z.array(sliceSchema).nullish(),
  parameters: parametersSchema.nullish(),
});

/** Formats that are written, as recipes name them and as safetensors does; torch's prefix is allowed. */
const dtypeNames = {
  float32: 'F32',
  float16: 'F16',
  bfloat16: 'BF16',
  'torch.float32': 'F32',
  'torch.float16': 'F16',
  'torch.bfloat16': 'BF16',
} as const;

const dtypeSchema = z
  .enum(Object.keys(dtypeNames) as (keyof typeof dtypeNames)[], {
    error: ({ input }) => `${JSON.stringify(input)} cannot be written; use float32, float16 or bfloat16`,
  })
  .transform((name) => dtypeNames[name]);

/**
 * A merge recipe in mergekit's format. Validation, the type and the editor's JSON schema come from here. Keys that
 * it does not know are reported as warnings (mergekit ignores them silently).
 */
export const recipeSchema = z.strictObject({
  merge_method: z
    .enum(methods.map((method) => method.name) as [string, ...string[]], {
      error: ({ input }) => unknownMethod(input),
    })
    .describe('How the models are merged'),
  models: z.array(inputSchema).nullish().describe('The models that are merged, in this order'),
  slices: z.array(sliceSchema).nullish().describe('Layers stacked from several models'),
  modules: z
    .record(z.string(), moduleSchema)
    .nullish()
    .describe('Models or slices for each part of the model'),
  base_model: modelReferenceSchema
    .nullish()
    .describe('The model that the others were made from; config and tokenizer come from it'),
  parameters: parametersSchema.nullish(),
  dtype: dtypeSchema.nullish().describe('Format to compute for, and to write unless out_dtype is given'),
  out_dtype: dtypeSchema.nullish().describe('Format to write'),
  tokenizer_source: z
    .union([z.enum(['union', 'base']), modelReferenceSchema])
    .nullish()
    .describe('Where the tokenizer comes from'),
  tokenizer: z.looseObject({}).nullish().describe('How the tokenizer is built'),
  chat_template: z.string().nullish().describe('Chat template to write'),
});

/** A field of a recipe: keys and list positions from the outside in. */
export type FieldPath = readonly (string | number)[];

export type RecipeDocument = z.output<typeof recipeSchema>;
export type ModelReference = z.output<typeof modelReferenceSchema>;
export type Setting = z.output<typeof settingSchema>;
export type Scalar = z.output<typeof scalar>;
export type Parameters = z.output<typeof parametersSchema>;

function parameterText(method: MergeMethod): string[] {
  return Object.entries(method.parameters).map(([name, spec]) => {
    const fallback = spec.default === undefined ? 'required' : `default ${String(spec.default)}`;
    return `- \`${name}\` (${spec.type}, ${fallback}): ${spec.description}`;
  });
}

/** What an editor or a document says of a method, in Markdown. */
export function describeMethod(method: MergeMethod): string {
  const paper = method.paper ? `[${method.paper.title}](${method.paper.url})` : undefined;
  return [
    `**${method.title}**. ${method.description}`,
    `\`${method.formula}\``,
    ...(paper ? [paper] : []),
    parameterText(method).join('\n'),
  ].join('\n\n');
}

/** The JSON schema of recipes for editors, with the methods' own words for methods and parameters. */
export function recipeJsonSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(recipeSchema, { io: 'input', reused: 'inline' }) as {
    properties: Record<string, Record<string, unknown>>;
    $defs?: Record<string, Record<string, unknown>>;
  };
  Object.assign(schema.properties.merge_method ?? {}, {
    markdownEnumDescriptions: methods.map(describeMethod),
  });
  const parameters = schema.$defs?.parameters;
  const names = new Set(methods.flatMap((method) => Object.keys(method.parameters)));
  if (parameters !== undefined) {
    parameters.properties = Object.fromEntries(
      [...names].map((name) => [
        name,
        {
          markdownDescription: methods
            .flatMap((method) => {
              const spec = method.parameters[name];
              return spec ? [`\`${method.name}\`: ${spec.description}`] : [];
            })
            .join('\n\n'),
          ...(parameters.additionalProperties as object),
        },
      ]),
    );
  }
  return { ...schema, title: 'Merge recipe' };
}

/** The method that a checked recipe names. */
export function methodOf(recipe: RecipeDocument): MergeMethod {
  const method = methodsByName.get(recipe.merge_method);
  if (method === undefined) throw new Error(`A checked recipe names the method ${recipe.merge_method}`);
  return method;
}
