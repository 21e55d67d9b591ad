import { z } from 'zod';
import { Limit, pageOf, PipelineName, Reason, Timestamp } from './common.js';
import { Span } from './metrics.js';

/** Trains the learned scorer of topologies further on the pipeline's own history. */
export const NewScorer = z
  .strictObject({
    /** How far back; default: 30 days. */
    since: Span.exactOptional(),
    /** What is measured as one: versions are compared stretch by stretch. Default: a minute. */
    stretch: Span.exactOptional(),
    seed: z.int().min(0).max(1e9).exactOptional(),
    /** For the audit log. */
    reason: Reason.exactOptional(),
  })
  .meta({ id: 'NewScorer' });
export type NewScorer = z.input<typeof NewScorer>;

/** Mean of |ln predicted − ln measured|, by what is predicted. */
const ScorerError = z.object({ cost: z.number(), p95: z.number(), throughput: z.number(), all: z.number() });

export const Scorer = z
  .object({
    id: z.string(),
    pipeline: PipelineName,
    state: z.enum(['running', 'completed', 'failed']),
    createdAt: Timestamp,
    /** Whose history it has learned from. */
    release: z.string().exactOptional(),
    /** It is used for this release of the pipeline, as long as no later one is kept. */
    kept: z.boolean().exactOptional(),
    reason: z.string().exactOptional(),
    failure: z.object({ code: z.string(), message: z.string() }).exactOptional(),
    about: z
      .looseObject({
        /** SHA-256 of the labelled plans that it learned from. */
        dataHash: z.string(),
        seed: z.int(),
        /** What it went on from. */
        base: z.string(),
        /** Versions that it, or what it went on from, has learned from. */
        learnedFrom: z.array(z.string()),
        stretches: z.object({ used: z.int(), leftOut: z.int() }),
        /** On the versions that neither it nor the one before has learned from. */
        heldOut: z.object({ versions: z.array(z.string()), current: ScorerError, retrained: ScorerError }),
        metrics: z.record(z.string(), z.number()),
      })
      .exactOptional(),
  })
  .meta({ id: 'Scorer' });
export type Scorer = z.infer<typeof Scorer>;
export const ScorerList = pageOf(Scorer).meta({ id: 'ScorerList' });
export const ScorersQuery = z.strictObject({ limit: Limit, cursor: z.string().max(200).exactOptional() });
