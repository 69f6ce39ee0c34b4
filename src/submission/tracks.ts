import { z } from 'zod';

/** A value that was read somewhere on some day. */
const provenance = {
  source: z.string().min(1).describe('URL or document that states the value'),
  readOn: z.iso.date().describe('Day on which it was read there'),
};

const quantity = z.strictObject({ value: z.number().positive(), ...provenance });
const text = z.strictObject({ value: z.string().min(1), ...provenance });

/** A track file (media/tracks/*.yaml, or one that a user adds). All limits are upper bounds. */
export const trackSchema = z.strictObject({
  id: z.string().regex(/^[a-z0-9-]+$/),
  name: z.string().min(1),
  kind: z.enum(['merging', 'efficiency']),
  opens: text.optional(),
  closes: text.optional().describe('Last day of submission, YYYY-MM-DD'),
  limits: z.strictObject({
    parameters: quantity.optional().describe('Parameters of a model'),
    gpuMemoryBytes: quantity.optional(),
    mergeSeconds: quantity.optional(),
    trainSeconds: quantity.optional(),
    evaluationSeconds: quantity.optional(),
    contextTokens: quantity.optional(),
    modelUploadedBefore: text.optional().describe('YYYY-MM-DD'),
    evaluationsPerDay: quantity.optional(),
  }),
  gpu: text.optional(),
  package: z.strictObject({
    form: z.enum(['tar', 'zip', 'folder']),
    root: z.string().optional().describe('Name of the one root folder inside the archive'),
    leaveOut: z.array(z.string()).describe('.gitignore patterns of what must not be sent'),
    ...provenance,
  }),
  links: z.record(z.string(), z.strictObject({ url: z.url(), title: z.string(), ...provenance })),
  approvedBases: z
    .strictObject({ families: z.array(z.string()), note: z.string(), ...provenance })
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
