/** The inbox: records that wait, in order of arrival, until a feeder claims them for a batch. */
import type { Fields } from '@autoflow/pipeline';
import type { Actor } from './definitions.model.js';
import type { RecordRow } from './ledger.model.js';

export interface NewRecord {
  readonly key: string;
  /** As it came; what the release declares of it is taken when it is claimed. */
  readonly record: Fields;
  /** SHA-256 (hex) of the canonical record: `recordDigest`. */
  readonly digest: string;
  /** Of the record as JSON; batches are bounded by their sum. */
  readonly bytes: number;
  /** No batch lingers for others beyond this time from now. */
  readonly withinMs?: number;
  /** Runs with this version whatever the arms say. */
  readonly version?: string;
  /** Runs though there is an outcome (a dead letter re-driven): the new one becomes the current one. */
  readonly replace?: boolean;
}

/** `known`: the same record is there already, and this is its state. `conflict`: the key is there with other content. */
export type Acceptance =
  { readonly state: 'accepted' } | { readonly state: 'known' | 'conflict'; readonly as: 'waiting' | RecordRow['state'] };

export interface Waiting {
  readonly records: number;
  readonly bytes: number;
  /** Arrival of the first. */
  readonly oldestAt?: Date;
}

export interface WaitingRecord {
  readonly pipeline: string;
  readonly scope: string;
  readonly key: string;
  readonly arrivedAt: Date;
  readonly dueAt?: Date;
  /** Pinned to it. */
  readonly version?: string;
  /** Times it was claimed before. */
  readonly feeds: number;
  /** That put it there. */
  readonly backfillId?: string;
  /** Records that are claimed before it; `AHEAD_AT_MOST` stands for more. */
  readonly ahead: number;
}

/** Of waiting records no more are counted. */
export const AHEAD_AT_MOST = 100_000;

export interface InboxStore {
  /**
   * Durable when it resolves, each key at most once per pipeline and scope; answers in the order given. Feeders are woken, once per call.
   * `trace` (W3C traceparent) is that of the request; whoever claims the records gets it. `NotFoundError` for a pipeline that is not there, `InvalidKeyError` for keys that cannot be stored; then nothing was accepted.
   */
  accept(request: {
    pipeline: string;
    scope: string;
    records: readonly NewRecord[];
    trace?: string | undefined;
  }): Promise<readonly Acceptance[]>;
  /** All of the pipeline but what backfills put there. */
  waiting(pipeline: string): Promise<Waiting>;
  /** Undefined when it does not wait (any more): then `ledger.record` knows it. Scope: default `live`. */
  position(pipeline: string, key: string, scope?: string): Promise<WaitingRecord | undefined>;
  /** In order of key; `after` is the last one seen. `since`: they arrived then or later. */
  list(filter: {
    pipeline: string;
    scope?: string;
    since?: Date;
    limit: number;
    after?: string;
  }): Promise<readonly Omit<WaitingRecord, 'ahead'>[]>;
  /** Takes a waiting record back: its outcome is `cancelled`, with an audit row. False when it does not wait (any more). Scope: default `live`. */
  cancel(pipeline: string, key: string, by: Actor, scope?: string): Promise<boolean>;
}
