import { z } from 'zod';

/** Where a value was read, and when; `note` says what the number alone does not. */
const provenance = {
  source: z.string().min(1).describe('URL or document that states the value'),
  readOn: z.iso.date().describe('Day on which it was read there'),
  note: z.string().min(1).optional(),
};

/** Opened in a browser when someone clicks it, so nothing but a page of the web. */
const webPage = z.url({ protocol: /^https?$/ });

const quantity = z.strictObject({ value: z.number().positive(), ...provenance });
const text = z.strictObject({ value: z.string().min(1), ...provenance });
const day = z.strictObject({
  value: z
    .string()
    .regex(/^\d{4}-\d{2}(-\d{2})?$/, 'must be YYYY-MM-DD or YYYY-MM')
    .describe('YYYY-MM-DD, or YYYY-MM where the day is not known'),
  ...provenance,
});

const parameterLimit = quantity.extend({
  accepted: z
    .array(z.strictObject({ model: z.string().min(1), parameters: z.number().positive() }))
    .optional()
    .describe('Models above the number that the rules themselves allow'),
});

/** A track file (media/tracks/*.yaml, or one that a user adds). All limits are upper bounds unless said. */
export const trackSchema = z.strictObject({
  id: z.string().regex(/^[a-z0-9-]+$/, 'must be lower-case letters, digits and dashes'),
  name: z.string().min(1),
  kind: z.enum(['merging', 'efficiency']),
  ...provenance,
  opens: day.optional(),
  closes: day.optional().describe('Last day of submission'),
  gpu: text.optional().describe('The organizers’ GPU, for people'),
  limits: z.strictObject({
    parameters: parameterLimit.optional().describe('Parameters of a model'),
    gpuMemoryBytes: quantity.optional(),
    memoryBytes: quantity.optional(),
    diskBytes: quantity.optional(),
    mergeSeconds: quantity.optional(),
    trainSeconds: quantity.optional(),
    evaluationSeconds: quantity.optional(),
    contextTokens: quantity.optional().describe('Tokens of prompt and completion that a model must handle'),
    modelUploadedBefore: day.optional(),
    evaluationsPerDay: quantity.optional(),
    submissions: quantity.optional().describe('Submissions of a team to the track'),
  }),
  package: z.strictObject({
    form: z.enum(['tar', 'zip', 'folder']),
    root: z.string().min(1).optional().describe('Name of the one root folder inside the archive'),
    leaveOut: z.array(z.string()).describe('.gitignore patterns of what must not be sent'),
    ...provenance,
  }),
  links: z.record(z.string(), z.strictObject({ url: webPage, title: z.string(), ...provenance })),
  approvedBases: z
    .strictObject({
      families: z.array(z.string()),
      exclusive: z.boolean().describe('False where the list is a suggestion'),
      ...provenance,
    })
    .optional(),
  dataRules: z.strictObject({ text: z.string(), ...provenance }).optional(),
  leaderboard: z
    .strictObject({
      title: z.string(),
      date: z.iso.date(),
      rows: z.array(z.strictObject({ name: z.string(), score: z.number() })),
      ...provenance,
    })
    .optional(),
});

export type Track = z.infer<typeof trackSchema>;

/** JSON schema of a track file, for the editor. */
export function trackJsonSchema(): unknown {
  return z.toJSONSchema(trackSchema);
}
