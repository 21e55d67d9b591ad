import { z } from 'zod';
import { PipelineName, Timestamp, VersionName } from './common.js';
import { Span } from './metrics.js';

const Interval = z.object({ estimate: z.number(), low: z.number().nullable(), high: z.number().nullable() });

/** Default: the last 30 days. Days (UTC) are whole ones. */
export const SavingsQuery = z.strictObject({ since: Span.exactOptional() });

/**
 * Against the holdout, which ran the version before beside it. Positive: saved; negative: lost. Compared is a slice of the version as large as the holdout,
 * so that batches are as full on both sides; its saving per record is taken for each record of the day that the version ran, in US dollars.
 */
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
        /** All that the version ran. */
        records: z.number(),
        /** Of the slice, and of the holdout. */
        costPer1000: z.object({ stable: z.number().exactOptional(), holdout: z.number().exactOptional() }),
        savedUsd: Interval.exactOptional(),
        /** Per record. The slice shares the pools of all that the version runs, and the holdout has its own: waiting for an instance is part of it. */
        savedMs: Interval.exactOptional(),
      }),
    ),
    /** What canaries cost beyond what their baseline would have, by the day on which they ended. */
    exploration: z.array(z.object({ rollout: z.string(), version: VersionName, day: z.iso.date(), extraUsd: z.number() })),
    /**
     * What the computing of optimizations cost at list prices, learners included, by the day on which they ended. A step that was broken off has said
     * nothing of what it cost.
     */
    optimizations: z.array(z.object({ optimization: z.string(), day: z.iso.date(), usd: z.number() })),
    /**
     * Saved on the days whose interval has both bounds; spent; and what is left. The intervals hold with probability 0.95 at one look, of the saving:
     * what was spent is taken as it was measured.
     */
    total: z.object({ savedUsd: Interval, explorationUsd: z.number(), optimizationUsd: z.number(), netUsd: Interval }),
  })
  .meta({ id: 'Savings' });
export type Savings = z.infer<typeof Savings>;
