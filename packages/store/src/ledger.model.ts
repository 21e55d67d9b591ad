/** Batches and the records in them. */
import type { Fields, Outcome, OutcomeCounts, RecordState } from '@autoflow/pipeline';
import type { BatchRef } from '@autoflow/topology';
import type { Arm } from './arms.model.js';

export interface BatchRow {
  readonly id: string;
  readonly pipeline: string;
  readonly version: string;
  readonly release: string;
  readonly scope: string;
  readonly executionId: string;
  readonly state: 'open' | 'closed';
  readonly ref: BatchRef;
  /** Memory classes (MB) that this execution may ask for, per stage: hosts poll them while the batch is open. */
  readonly memoryMb: { readonly [stage: string]: readonly number[] };
  readonly openedAt: Date;
  readonly closedAt?: Date;
  readonly counts?: OutcomeCounts;
  /** Undefined: it came by the direct door. */
  readonly arm?: Arm;
  /** To measure by: of another size than its version's (`probeRecords`). */
  readonly probe?: boolean;
  /** A rollback takes it back. */
  readonly aborted?: boolean;
  readonly backfillId?: string;
}
export interface RecordRow {
  readonly pipeline: string;
  readonly scope: string;
  readonly key: string;
  readonly state: 'running' | 'completed' | 'filtered' | 'dead' | 'cancelled';
  readonly batchId: string;
  readonly version: string;
  readonly release: string;
  readonly arrivedAt: Date;
  readonly endedAt?: Date;
  /** Output of a completed record. */
  readonly output?: Fields;
  /** `by: reason` of a filtered one. */
  readonly filtered?: { readonly by: string; readonly reason: string };
  readonly death?: { readonly in: string; readonly code: string; readonly message: string };
}
export interface DeadLetterRow {
  readonly id: string;
  readonly pipeline: string;
  readonly scope: string;
  readonly key: string;
  readonly version: string;
  readonly release: string;
  readonly in: string;
  readonly code: string;
  readonly message: string;
  readonly diedAt: Date;
  /** The input record, so that it can be re-driven. */
  readonly record: Fields;
}

export interface BatchLedger {
  /**
   * Commits the batch row and its record rows before the execution starts, in one transaction; the same id again answers the row there is.
   * Records whose key has an outcome in this scope already, or runs in another open batch, are not admitted again: `known`.
   * With `replace` (direct door) they are, and the new outcome becomes the current one. A key that comes twice in one batch is admitted once.
   * A batch in which nothing is admitted is closed at once (`row.state`): no execution is needed.
   *
   * With `followsStable` the batch's version is the stable one when it is committed, or nothing is: `StaleVersionError`. So once `setStable`
   * has resolved, no batch is opened any more with the version before.
   */
  open(request: {
    batch: Omit<BatchRow, 'state' | 'openedAt' | 'closedAt' | 'counts'>;
    /** `digest`: `recordDigest` of what was sent, so that the same content is known when it comes again. */
    records: readonly (RecordState & { readonly digest?: string })[];
    replace: boolean;
    followsStable?: boolean;
  }): Promise<{ row: BatchRow; known: readonly string[] }>;
  batch(id: string): Promise<BatchRow | undefined>;
  /** `openForMs`: for so long at least. */
  openBatches(filter: { pipeline?: string; scope?: string; backfill?: string; openForMs?: number }): Promise<BatchRow[]>;
  requireMemory(batchId: string, stage: string, memoryMb: number): Promise<void>;
  /** Gives every record of the batch its outcome, writes dead letters, closes the batch: one transaction; again: answers the counts there are. */
  close(request: { batchId: string; outcomes: readonly Outcome[]; inputs: ReadonlyMap<string, Fields> }): Promise<OutcomeCounts>;
  record(pipeline: string, scope: string, key: string): Promise<RecordRow | undefined>;
  /** Of these records those that have an outcome, and do not wait to be run again. */
  ended(pipeline: string, scope: string, keys: readonly string[]): Promise<RecordRow[]>;
  /** `reason`: of a filtered record, or the code of a dead one. `since`: they ended then or later, or run and arrived then or later. */
  records(filter: {
    pipeline: string;
    scope?: string;
    state?: RecordRow['state'];
    reason?: string;
    since?: Date;
    limit: number;
    after?: string;
  }): Promise<RecordRow[]>;
  /** One of those that `deadLetters` lists. */
  deadLetter(pipeline: string, id: string): Promise<DeadLetterRow | undefined>;
  deadLetters(filter: { pipeline: string; scope?: string; code?: string; limit: number; after?: string }): Promise<DeadLetterRow[]>;
  /** SHA-256 over (key, state, reason or error code, output) of all records of a scope in key order: equal digests mean equal outcomes. */
  outcomeDigest(pipeline: string, scope: string): Promise<{ digest: string; counts: OutcomeCounts }>;
}
