import { z } from 'zod';
import { PipelineName, Timestamp, VersionName } from './common.js';
import { Span } from './metrics.js';

const Interval = z.object({ estimate: z.number(), low: z.number().nullable(), high: z.number().nullable() });

/** Default: the last 30 days. Days (UTC) are whole ones. */
export const SavingsQuery = z.strictObject({ since: Span.exactOptional() });

/** Against the holdout, which ran the version before beside it. Positive: saved; negative: lost. Dollars are US dollars of all records of the day. */
export const Savings = z
  .object({
    pipeline: PipelineName,
    from: Timestamp,
    to: Timestamp,
    days: z.array(
      z.object({
        version: VersionName,
        against: VersionName,
        day: z.iso.date(),
        records: z.number(),
        costPer1000: z.object({ stable: z.number().exactOptional(), holdout: z.number().exactOptional() }),
        savedUsd: Interval.exactOptional(),
        /** Per record. */
        savedMs: Interval.exactOptional(),
      }),
    ),
    /** What canaries cost beyond what their baseline would have, by the day on which they ended. */
    exploration: z.array(z.object({ rollout: z.string(), version: VersionName, day: z.iso.date(), extraUsd: z.number() })),
    /** Estimates: saved, spent on exploration, and what is left. */
    total: z.object({ savedUsd: z.number(), explorationUsd: z.number(), netUsd: z.number() }),
  })
  .meta({ id: 'Savings' });
export type Savings = z.infer<typeof Savings>;
