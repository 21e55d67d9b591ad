/** What the data plane takes and answers. */
import { z } from 'zod';
import { Limit, pageOf, ReleaseHash, Reveal, ScopeName, Timestamp, VersionName } from './common.js';
import { Since } from './metrics.js';
import { ProblemLocation } from './problem.js';

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** `200ms`, `10s`, `5m`; in milliseconds. */
const duration = (longestMs: number, longest: string) =>
  z
    .string()
    .regex(/^[1-9][0-9]{0,6}(ms|s|m|h)$/, 'a time is a number with ms, s, m or h, such as 200ms or 10s')
    .transform((text) => {
      const [, number, unit] = /^([0-9]+)(.+)$/.exec(text)!;
      return Number(number) * UNITS[unit!]!;
    })
    .refine((ms) => ms <= longestMs, `at most ${longest}`);

export const SubmitQuery = z.strictObject({
  scope: ScopeName.default('live'),
  /** How long the answer may wait for outcomes. */
  wait: duration(60_000, '60s').exactOptional(),
  /** Runs with this version, whatever the arms say. */
  version: VersionName.exactOptional(),
  /** How long the records may linger for others before they are fed. */
  within: duration(86_400_000, '24h').exactOptional(),
  answer: z.enum(['records', 'summary']).default('records'),
});

export const IngestStateName = z.enum(['waiting', 'running', 'completed', 'filtered', 'dead', 'cancelled']);
export type IngestStateName = z.infer<typeof IngestStateName>;

/** Of one record that was sent: it has the one or the other way to say where it stood, by position from 0 or by line from 1. */
export const SubmitResult = z
  .object({
    index: z.int().exactOptional(),
    line: z.int().exactOptional(),
    key: z.string().exactOptional(),
    /** `known`: the same record is there already. `conflict`: the key is there with other content. */
    status: z.enum(['accepted', 'known', 'conflict', 'invalid']),
    /** Of the record there is; with `wait`, as it was when the answer was given. */
    state: IngestStateName.exactOptional(),
    version: VersionName.exactOptional(),
    output: z.record(z.string(), z.unknown()).exactOptional(),
    filtered: z.object({ by: z.string(), reason: z.string() }).exactOptional(),
    death: z.object({ in: z.string(), code: z.string(), message: z.string() }).exactOptional(),
    errors: z.array(ProblemLocation).exactOptional(),
  })
  .meta({ id: 'SubmitResult' });
export type SubmitResult = z.infer<typeof SubmitResult>;

export const SubmitCounts = z
  .object({ accepted: z.int(), known: z.int(), conflict: z.int(), invalid: z.int() })
  .meta({ id: 'SubmitCounts' });
export type SubmitCounts = z.infer<typeof SubmitCounts>;

/** `results` are in the order sent; left out with `answer=summary`. */
export const Submission = z.object({ counts: SubmitCounts, results: z.array(SubmitResult).exactOptional() }).meta({ id: 'Submission' });
export type Submission = z.infer<typeof Submission>;

/** A record by its key: `arrivedAt` is the database's time. What ran it is there once it runs; `dueAt` and a pinned `version` also before. */
export const IngestRecord = z
  .object({
    scope: ScopeName,
    key: z.string(),
    state: IngestStateName,
    arrivedAt: Timestamp,
    dueAt: Timestamp.exactOptional(),
    version: VersionName.exactOptional(),
    release: ReleaseHash.exactOptional(),
    batchId: z.string().exactOptional(),
    endedAt: Timestamp.exactOptional(),
    output: z.record(z.string(), z.unknown()).exactOptional(),
    filtered: z.object({ by: z.string(), reason: z.string() }).exactOptional(),
    death: z.object({ in: z.string(), code: z.string(), message: z.string() }).exactOptional(),
  })
  .meta({ id: 'IngestRecord' });
export type IngestRecord = z.infer<typeof IngestRecord>;
export const IngestRecordPage = pageOf(IngestRecord).meta({ id: 'IngestRecordPage' });
export type IngestRecordPage = z.infer<typeof IngestRecordPage>;

export const IngestRecordsQuery = z.strictObject({
  reveal: Reveal,
  scope: ScopeName.default('live'),
  state: IngestStateName.exactOptional(),
  /** Of filtered records their reason, of dead ones their code. */
  reason: z.string().min(1).max(200).exactOptional(),
  /** Records that had their outcome since then; of those that have none, that arrived since then. */
  since: Since.exactOptional(),
  limit: Limit,
  cursor: z.string().max(1000).exactOptional(),
});

/** One invocation that carried the record's batch, newest first. */
export const Attempt = z
  .object({
    stage: z.string(),
    attempt: z.int(),
    executionId: z.string(),
    version: VersionName,
    host: z.string(),
    startedAt: Timestamp,
    queueMs: z.number(),
    durationMs: z.number(),
    memoryMb: z.int(),
    records: z.int(),
    outcome: z.string(),
    error: z.string().exactOptional(),
  })
  .meta({ id: 'Attempt' });
export type Attempt = z.infer<typeof Attempt>;
export const Attempts = z.object({ items: z.array(Attempt) }).meta({ id: 'Attempts' });
export type Attempts = z.infer<typeof Attempts>;

/** A bound that the record may be waiting for. */
export const Limitation = z
  .object({
    kind: z.enum(['pool', 'resource', 'open-executions', 'backfill']),
    name: z.string(),
    allowed: z.number().exactOptional(),
    used: z.number().exactOptional(),
    perSecond: z.number().exactOptional(),
  })
  .meta({ id: 'Limitation' });
export type Limitation = z.infer<typeof Limitation>;

/** Why a record has no outcome yet. `text` is one sentence for people, the rest is what it was made of. */
export const Why = z
  .object({
    scope: ScopeName,
    key: z.string(),
    state: IngestStateName,
    text: z.string(),
    /** Since when it is where it is. */
    since: Timestamp,
    inbox: z
      .object({
        /** Records that are fed before it. */
        ahead: z.int(),
        waiting: z.int(),
        oldestAt: Timestamp.exactOptional(),
        paused: z.boolean(),
        openExecutions: z.int(),
      })
      .exactOptional(),
    execution: z
      .object({
        executionId: z.string(),
        version: VersionName,
        /** Temporal has answered: stages are told. */
        answered: z.boolean(),
        phase: z.string().exactOptional(),
        records: z.int(),
      })
      .exactOptional(),
    /** Stages whose invocation is under way or waits for its pool. */
    stages: z
      .array(
        z.object({
          name: z.string(),
          state: z.enum(['queued', 'running', 'backing-off']),
          since: Timestamp.exactOptional(),
          queue: z.string(),
          /** Invocations that wait in the same queue. */
          queued: z.int().exactOptional(),
          attempt: z.int(),
          lastFailure: z.string().exactOptional(),
        }),
      )
      .exactOptional(),
    limits: z.array(Limitation),
  })
  .meta({ id: 'Why' });
export type Why = z.infer<typeof Why>;
