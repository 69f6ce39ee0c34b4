import * as z from 'zod/mini';

// What the Scores panel and its host tell each other. Both sides check what arrives.

const optionalNumber = z.nullable(z.number());
const list = <T extends z.core.SomeType>(item: T) => z.readonly(z.array(item));

/** What the page needs of a score table. */
const tableSchema = z.object({
  columns: list(
    z.object({
      scenario: z.string(),
      title: z.string(),
      metric: z.string(),
      split: z.string(),
      lowerIsBetter: z.boolean(),
    }),
  ),
  rows: list(
    z.object({
      run: z.string(),
      baseline: z.boolean(),
      mean: optionalNumber,
      meanWinRate: optionalNumber,
      changedAt: z.number(),
      cells: list(
        z.object({
          value: optionalNumber,
          interval: optionalNumber,
          instances: z.number(),
          failed: z.number(),
          best: z.boolean(),
          delta: optionalNumber,
          folder: z.nullable(z.string()),
        }),
      ),
    }),
  ),
  problems: list(z.string()),
});

const leaderboardSchema = z.object({
  title: z.string(),
  /** YYYY-MM-DD */
  date: z.string(),
  source: z.string(),
  rows: list(z.object({ name: z.string(), score: z.number() })),
});

export const toViewSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('scores'),
    submission: z.string(),
    /** Null while there are no runs. */
    table: z.nullable(tableSchema),
    /** Runs that are chosen for comparison. */
    compared: list(z.string()),
    leaderboard: z.nullable(leaderboardSchema),
  }),
  /** Show only the compared runs, or all. */
  z.object({ kind: z.literal('onlyCompared'), on: z.boolean() }),
]);

export const fromViewSchema = z.discriminatedUnion('kind', [
  /** The page stands and wants to be told. */
  z.object({ kind: z.literal('ready') }),
  z.object({ kind: z.literal('baseline'), run: z.string() }),
  z.object({ kind: z.literal('compare'), runs: list(z.string()) }),
  z.object({ kind: z.literal('export'), format: z.enum(['csv', 'markdown', 'html']) }),
  z.object({ kind: z.literal('evaluate') }),
]);

export type ToView = z.infer<typeof toViewSchema>;
export type FromView = z.infer<typeof fromViewSchema>;
export type ScoresMessage = Extract<ToView, { kind: 'scores' }>;
export type Leaderboard = z.infer<typeof leaderboardSchema>;
export type ViewTable = NonNullable<ScoresMessage['table']>;
