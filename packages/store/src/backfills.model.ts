/** Backfills. */
import type { BackfillProgress } from '@autoflow/topology';
import type { Actor } from './definitions.model.js';
import type { NewRecord } from './inbox.model.js';

export type SourceSettings =
  | { readonly kind: 'csv'; readonly path: string; readonly groupBy?: string; readonly columns?: { readonly [from: string]: string } }
  | { readonly kind: 'jsonl'; readonly path: string }
  /** `secret` names the connection string among the secrets of the worker that feeds: rows and logs never hold a password. */
  | { readonly kind: 'postgres'; readonly secret: string; readonly query: string };

export interface BackfillRow {
  readonly id: string;
  readonly pipeline: string;
  readonly scope: string;
  /** Undefined: the stable version of the moment for each batch. */
  readonly version?: string;
  readonly source: SourceSettings;
  readonly limit?: number;
  /** Executions open at once. */
  readonly concurrency: number;
  /** Overrides the version's batch size. */
  readonly batchRecords?: number;
  /** Records per second at most. */
  readonly rate?: number;
  /** Of the executions of the pipeline that may be open at once; default 0.5. */
  readonly maxShare?: number;
  /** Leaves out records whose key has an outcome in the scope `live`. */
  readonly skipKnown?: boolean;
  /** Records that were left out for it. */
  readonly skipped: number;
  readonly state: 'running' | 'paused' | 'completed' | 'cancelled' | 'failed';
  readonly reason?: string;
  /** Records of the source consumed so far. */
  readonly cursor: number;
  readonly progress: BackfillProgress;
  readonly createdAt: Date;
  readonly endedAt?: Date;
}
export interface BackfillStore {
  create(
    row: Omit<BackfillRow, 'state' | 'cursor' | 'skipped' | 'progress' | 'createdAt' | 'endedAt' | 'reason'>,
    by: Actor,
  ): Promise<BackfillRow>;
  get(id: string): Promise<BackfillRow | undefined>;
  list(pipeline: string, limit: number): Promise<BackfillRow[]>;
  /**
   * The next records of the source go into the inbox and the cursor moves from `from` to `cursor`, in one transaction. Of a key that comes
   * twice, that waits, runs or has an outcome in the scope, or (with `skipKnown`) has one in `live`, the record counts as read and settled.
   * `StaleCursorError` when another one was faster, `NotRunningError` when the backfill was paused or ended: then nothing has happened.
   */
  put(portion: {
    id: string;
    from: number;
    cursor: number;
    records: readonly (NewRecord & { readonly problem?: string })[];
  }): Promise<BackfillRow>;
  /** What waits of a cancelled backfill gets the outcome `cancelled`. Answers how many. */
  cancelWaiting(id: string): Promise<number>;
  /** Of all pipelines, oldest first. */
  running(): Promise<BackfillRow[]>;
  setState(id: string, state: BackfillRow['state'], by: Actor): Promise<BackfillRow>;
  setTotal(id: string, total: number): Promise<void>;
}
