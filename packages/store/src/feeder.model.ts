/** What feeders and reconcilers need of the store: any number of them at once, without a leader. */
import type { Fields } from '@autoflow/pipeline';
import type { BatchRef } from '@autoflow/topology';
import type { Arm, Arms } from './arms.model.js';
import type { NewRecord } from './inbox.model.js';
import type { BatchRow } from './ledger.model.js';

/** Waiting records that may share a batch, but for their arm. */
export interface Stream {
  readonly pipeline: string;
  /** Opaque. */
  readonly stream: string;
  readonly scope: string;
  /** Pinned to it. */
  readonly version?: string;
  readonly backfill?: {
    readonly id: string;
    readonly concurrency: number;
    readonly batchRecords?: number;
    /** Of the executions that may be open at once. */
    readonly maxShare: number;
  };
}
export interface Bounds {
  readonly records: number;
  readonly bytes: number;
}
/** The records that a batch would get now. */
export interface Head {
  readonly records: number;
  readonly bytes: number;
  /** Since the first of them arrived; by the clock of the database, as all that follows from it. */
  readonly oldestMs?: number;
  /** Until one of them must not wait any longer; below zero: since then. */
  readonly dueInMs?: number;
}
export interface ClaimedRecord {
  readonly key: string;
  readonly record: Fields;
  readonly arrivedAt: Date;
  /** Why it cannot be a record. */
  readonly problem?: string;
  /** W3C traceparent of the request that brought it. */
  readonly trace?: string;
  /** No batch lingers for others beyond it. */
  readonly dueAt?: Date;
}
/** What must be known of a record to put it back as it was claimed, beside what the books say. */
export type ClaimedInput = Pick<ClaimedRecord, 'record' | 'problem' | 'trace' | 'dueAt'>;
/** Of one pipeline, over all feeders. */
export interface Load {
  /** By `roomOf`. */
  readonly rooms: { readonly [room: string]: RoomLoad };
  /** Of the versions that have an arm: instances of the stage that has the most, fleet-wide. */
  readonly instances: { readonly [version: string]: number };
}
/**
 * Executions of one room hold each other back: those of the stable version and what is pinned to any, and those of each version in any other arm.
 * What a version that was stable before has left open is in a room of its own: it does not keep the new one from beginning.
 */
export const roomOf = ({ arm, version }: { readonly arm: Arm; readonly version: string }): string =>
  arm === 'stable' || arm === 'pinned' ? 'stable' : `${arm} ${version}`;

export interface RoomLoad {
  readonly open: number;
  readonly ofBackfill: { readonly [backfill: string]: number };
  /** Closed within the window, and how long these were open. */
  readonly closed: number;
  readonly meanOpenMs: number;
}
export interface Claim {
  readonly stream: Stream;
  readonly buckets: readonly [number, number];
  readonly bounds: Bounds;
  readonly batch: Pick<BatchRow, 'id' | 'version' | 'release' | 'executionId' | 'memoryMb'>;
  readonly arm: Arm;
  readonly probe: boolean;
  /** As of which the arm was decided; not for `pinned`. */
  readonly arms?: Pick<Arms, 'stable' | 'revision'>;
  /** A feeder that does nothing for so long in the midst of it has lost what it claimed. */
  readonly leaseMs: number;
}
export interface Landed {
  readonly id: number;
  readonly record: unknown;
  readonly arrivedAt: Date;
}
/** Records that came by COPY for a pipeline that is not there. */
export interface Stranded {
  readonly pipeline: string;
  readonly records: number;
  readonly oldestAt: Date;
}

export interface FeederStore {
  /** With records that wait and may be fed; live ones first within a pipeline. */
  streams(): Promise<readonly Stream[]>;
  head(stream: Stream, buckets: readonly [number, number], bounds: Bounds): Promise<Head>;
  load(pipeline: string, windowMs: number): Promise<Load>;
  /**
   * Takes the first records of a stream out of the inbox and commits their batch, in one transaction: no two claims share a record. `write`
   * makes the input file of those that are admitted (others of their key have an outcome or run), before the commit. Undefined when there
   * was nothing to admit. `StaleVersionError` when the arms or the stable pointer have moved, `NotRunningError` when the backfill or the
   * pipeline's feeding was paused meanwhile: then nothing has happened.
   */
  claim(request: Claim, write: (records: readonly ClaimedRecord[]) => Promise<BatchRef>): Promise<BatchRow | undefined>;
  /**
   * Open batches of the inbox that nobody has looked at for `ageMs`, so many at most; aborted ones at once. Each is handed out once per `ageMs`,
   * to whoever asks first.
   */
  unattended(ageMs: number, limit: number): Promise<readonly BatchRow[]>;
  /**
   * Closes an open batch without an outcome for its running records: they go back into the inbox, in one transaction, with what `inputs` has of
   * them. Those that were fed `MAX_FEEDS` times die with REFED_TOO_OFTEN, those without input with BATCH_MISSING, and with `refuse` all of them
   * with that. Again, or when the batch was closed meanwhile: does nothing.
   */
  dissolve(request: {
    batchId: string;
    inputs: ReadonlyMap<string, ClaimedInput>;
    refuse?: { readonly code: string; readonly message: string };
  }): Promise<{ refed: number; dead: number }>;
  /** Marks what is open of a version's inbox batches: reconcilers take it back. Answers how many. */
  abort(pipeline: string, version: string): Promise<number>;
  /**
   * What came by COPY moves into the inbox, as `take` decides of each; a refused one becomes a dead letter with what `take` says can be kept of it,
   * under its own key if it has one that nobody else has.
   * Answers how many rows it took, within the bounds or one that alone is larger; none: nothing is left. Those for a pipeline that is not there stay where they are until it is.
   */
  drainLanding(
    bounds: Bounds,
    take: (
      pipeline: string,
      landed: unknown,
    ) => Promise<NewRecord | { readonly key?: string; readonly record: Fields; readonly problem: string }>,
  ): Promise<number>;
  /** What came by COPY and waits for its pipeline to be deployed: of all such pipelines (those with the most records, 20 of them), or of one. */
  stranded(pipeline?: string): Promise<readonly Stranded[]>;
}

export const MAX_FEEDS = 5;
