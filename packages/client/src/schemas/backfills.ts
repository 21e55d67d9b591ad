import { z } from 'zod';
import { Limit, OutcomeCounts, pageOf, PipelineName, Reason, ScopeName, Timestamp, VersionName } from './common.js';

const Path = z
  .string()
  .regex(/^(\/|[A-Za-z]:[\\/])/, 'give an absolute path: the feeder has a working directory of its own')
  .max(4096);

/**
 * Paths are those of the host that feeds (the control worker), inside its AUTOFLOW_SOURCES; `secret` names one of its secrets that holds a
 * connection string, and begins with SOURCE_ so that no secret of a pipeline can be meant.
 */
export const Source = z
  .discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('csv'),
      path: Path,
      groupBy: z.string().min(1).exactOptional(),
      columns: z.record(z.string(), z.string()).exactOptional(),
    }),
    z.strictObject({ kind: z.literal('jsonl'), path: Path }),
    z.strictObject({
      kind: z.literal('postgres'),
      secret: z
        .string()
        .regex(
          /^SOURCE_[A-Z0-9_]+$/,
          'give the name of a secret for sources, such as SOURCE_SHOP (AUTOFLOW_SECRET_SOURCE_SHOP of the worker)',
        ),
      query: z.string().min(1),
    }),
  ])
  .meta({ id: 'Source' });
export type Source = z.infer<typeof Source>;

export const BackfillProgress = z
  .object({ read: z.int(), settled: z.int(), counts: OutcomeCounts, total: z.int().exactOptional() })
  .meta({ id: 'BackfillProgress' });

export const Backfill = z
  .object({
    id: z.string(),
    pipeline: PipelineName,
    scope: ScopeName,
    version: VersionName.exactOptional(),
    source: Source,
    limit: z.int().exactOptional(),
    concurrency: z.int(),
    batchRecords: z.int().exactOptional(),
    rate: z.number().exactOptional(),
    maxShare: z.number(),
    skipKnown: z.boolean(),
    /** Records left out because the scope live has an outcome for their key. */
    skipped: z.int(),
    state: z.enum(['running', 'paused', 'completed', 'cancelled', 'failed']),
    reason: z.string().exactOptional(),
    progress: BackfillProgress,
    createdAt: Timestamp,
    endedAt: Timestamp.exactOptional(),
  })
  .meta({ id: 'Backfill' });
export type Backfill = z.infer<typeof Backfill>;
export const BackfillList = pageOf(Backfill).meta({ id: 'BackfillList' });

/** Defaults: a scope of its own (its id), the stable version of each moment, 8 executions at once, the version's batch size. */
export const NewBackfill = z
  .strictObject({
    source: Source,
    scope: ScopeName.refine((scope) => scope !== 'live', 'live is the scope of direct starts; give another').exactOptional(),
    version: VersionName.exactOptional(),
    limit: z.int().min(1).exactOptional(),
    concurrency: z.int().min(1).max(1000).default(8),
    batchRecords: z.int().min(1).max(100_000).exactOptional(),
    /** Records per second at most. */
    rate: z.number().positive().max(1_000_000).exactOptional(),
    /** Of the executions of the pipeline that may be open at once. */
    maxShare: z.number().positive().max(1).default(0.5),
    /** Leaves out records whose key has an outcome in the scope live. */
    skipKnown: z.boolean().default(false),
    reason: Reason.exactOptional(),
    /** Reads the source and estimates; starts nothing. */
    dryRun: z.literal(true).exactOptional(),
  })
  .meta({ id: 'NewBackfill' });
export type NewBackfill = z.input<typeof NewBackfill>;

export const BackfillDryRun = z
  .object({
    dryRun: z.literal(true),
    pipeline: PipelineName,
    /** Whose measurements the estimate is made of. */
    version: VersionName,
    records: z.int(),
    /** Of these, such as would be left out: they have an outcome in the scope, or (skipKnown) in the scope live. */
    known: z.int(),
    /** Of these, such as the release does not take. */
    invalid: z.int(),
    /** Of those that are not known; absent where nothing is measured yet. */
    seconds: z.number().exactOptional(),
    costUsd: z.number().exactOptional(),
    notes: z.array(z.object({ message: z.string() })),
  })
  .meta({ id: 'BackfillDryRun' });
export type BackfillDryRun = z.infer<typeof BackfillDryRun>;
export const BackfillOrDryRun = z.union([Backfill, BackfillDryRun]).meta({ id: 'BackfillOrDryRun' });

export const BackfillAction = z.strictObject({ reason: Reason.exactOptional() }).meta({ id: 'BackfillAction' });

export const BackfillsQuery = z.strictObject({ limit: Limit, cursor: z.string().max(100).exactOptional() });
