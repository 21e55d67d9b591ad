/**
 * The protocol between the interpreter (workflow), the function host (activities) and the platform activities.
 * Data goes by reference: none of these types carries a field of a record, but for the direct door.
 */
import type { Fields, Outcome, OutcomeCounts } from '@autoflow/pipeline';
import type { Drops, Topology } from './topology.js';

/** Points to one batch file; `counts` say what is in it. */
export interface BatchRef {
  /** Opaque to all but the batch store's driver, e.g. `file:2026-11-21/ab12….ndjson` or `pg:…`. */
  readonly ref: string;
  readonly bytes: number;
  readonly counts: RecordCounts;
}
export interface RecordCounts {
  readonly records: number;
  /** Neither filtered nor dying. */
  readonly live: number;
  readonly filtered: number;
  readonly dying: number;
}

/** The argument of an execution that was started for a batch; the direct door makes the same by its first activity. */
export interface ExecutionArgument {
  readonly $autoflow: 'execution/1';
  readonly pipeline: string;
  readonly version: string;
  readonly release: string;
  readonly scope: string;
  readonly batchId: string;
  readonly batch: BatchRef;
  readonly topology: Topology;
  /** What the interpreter must know of each stage; frozen at the start. */
  readonly stages: { readonly [stage: string]: StagePlan };
}
export interface StagePlan {
  /** MB at the start, then the sizes to go to when memory runs out, ascending. */
  readonly memoryMb: readonly number[];
  /** Most dangerous effect among its nodes. */
  readonly effect: 'pure' | 'read' | 'idempotent-write' | 'write';
  /** Sum of its functions' timeouts; bounds the time without progress of an invocation. */
  readonly timeoutMs: number;
  /** Dispatches in all: one, and one for each further attempt that any of its functions may make. Backoff of the function with the fewest. */
  readonly retry: {
    readonly maximumAttempts: number;
    readonly initialIntervalMs: number;
    readonly backoffCoefficient: number;
    readonly maximumIntervalMs: number;
  };
}

/** The result of an execution. The direct door adds the records' outcomes; a batch execution answers counts only. */
export interface ExecutionResult {
  readonly version: string;
  readonly counts: OutcomeCounts;
}
export interface DirectResult extends ExecutionResult {
  readonly results: readonly { readonly key: string; readonly output: Fields }[];
  readonly filtered: readonly { readonly key: string; readonly by: string; readonly reason: string }[];
  readonly dead: readonly { readonly key: string; readonly in: string; readonly code: string; readonly message: string }[];
}

/** The argument of a stage activity: one invocation. */
export interface StageInvocation {
  readonly pipeline: string;
  readonly version: string;
  readonly release: string;
  readonly scope: string;
  readonly batchId: string;
  readonly stage: string;
  /** Node ids, in running order. */
  readonly nodes: readonly string[];
  /** What the output file leaves out; what is to be dispatched again keeps everything. */
  readonly drops?: Drops;
  /** All files that together hold the input; records are merged by index. */
  readonly inputs: readonly BatchRef[];
  /** Take only records whose position p in the merged, index-ordered input has `from <= p < to` (parts, bisection). */
  readonly slice?: { readonly from: number; readonly to: number };
  /** Dispatches made for these records before, by the interpreter (not Temporal's attempts). */
  readonly dispatch: number;
  /** Last dispatch: what would be `retry` becomes dead. */
  readonly final: boolean;
  /** The records of the slice are not run; they die with this (their process died, alone, repeatedly). */
  readonly condemn?: { readonly code: string; readonly message: string };
}

/** Records of the invocation end up in exactly one of the two files. */
export interface StageAnswer {
  readonly output: BatchRef;
  /** Records to be dispatched again, after a backoff. */
  readonly retry?: BatchRef;
}

/** `ApplicationFailure.type` of the failures that a stage activity raises on purpose. */
export const StageFailure = {
  /** Heap abort, watchdog and cgroup kill are one. Not retried by Temporal: the interpreter goes to the next memory size. */
  outOfMemory: 'OutOfMemory',
  /** The instance process exited or was killed for another reason. */
  instanceDied: 'InstanceDied',
  /** No progress within the function's timeout. */
  timedOut: 'InvocationTimedOut',
  /** Terminal: the batch store has no such file. */
  batchMissing: 'BatchMissing',
  /** Terminal: the bundle of the release cannot be loaded. */
  releaseBroken: 'ReleaseBroken',
} as const;

/** Task queue of a pool: one per (pipeline, version, stage, memory). */
export function poolQueue(pipeline: string, version: string, stage: string, memoryMb: number): string {
  return `af.${pipeline}.${version}.${stage}.${memoryMb}`;
}

/** Task queues of the platform's own Workers. */
export const EXECUTION_QUEUE = 'autoflow';
export const CONTROL_QUEUE = 'autoflow-control';

export interface AdmittedExecution extends ExecutionArgument {
  /** The server knows our search attributes (setting unknown ones would fail the workflow task for ever). */
  readonly indexed: boolean;
}
export interface SettleRequest {
  readonly execution: Pick<ExecutionArgument, 'pipeline' | 'version' | 'release' | 'scope' | 'batchId' | 'batch'>;
  /** Files in which a record that is neither filtered nor dying is completed. */
  readonly outputs: readonly BatchRef[];
  /** Files of an execution that ended early: in them a record can only be filtered or dead. */
  readonly partial?: readonly BatchRef[];
  /** Records without another outcome are `cancelled`. */
  readonly cancelled: boolean;
  /** Records without another outcome are dead with this: the execution could not go on. */
  readonly failure?: { readonly in: string; readonly code: string; readonly message: string };
  /** Answer the outcomes too (direct door). */
  readonly collect: boolean;
}

/** Activities of the execution Worker, called by the interpreter (local first, then as normal activities). */
export interface ExecutionActivities {
  /** Direct door: validates the records, resolves the stable version, commits the batch row and the record rows, stores the batch. */
  admit(request: { pipeline: string; executionId: string; runId: string; records: readonly Fields[] }): Promise<AdmittedExecution>;
  /** Merges the final files, gives every record its one outcome, closes the batch row: one transaction, idempotent. */
  settle(request: SettleRequest): Promise<{ counts: OutcomeCounts; outcomes?: readonly Outcome[] }>;
  /** Records that an open execution now needs this memory class of a stage, so that hosts poll it. */
  requireMemory(request: { batchId: string; stage: string; memoryMb: number }): Promise<void>;
}

/** Activities of the control Worker, called by the Backfill workflow. */
export interface BackfillActivities {
  /**
   * Feeds executions from the source until it is exhausted, `budgetMs` is over or cancellation; heartbeats.
   * Everything it needs and does is in the backfill's row: it can be killed and run again anywhere.
   */
  feedBackfill(request: { backfillId: string; budgetMs: number }): Promise<{ finished: boolean; progress: BackfillProgress }>;
  closeBackfill(request: { backfillId: string; state: 'completed' | 'cancelled' | 'failed'; reason?: string }): Promise<BackfillProgress>;
}

/** What a backfill would read. `source` is the store's `SourceSettings`. */
export interface SourceCountRequest {
  readonly pipeline: string;
  /** Default: the stable one; its release says what is a record. */
  readonly version?: string;
  readonly source: object;
  readonly limit?: number;
  /** Records with an outcome in one of these are known. */
  readonly scopes: readonly string[];
}
export interface SourceCount {
  readonly records: number;
  /** Of these, such as have an outcome already. */
  readonly known: number;
  /** Of these, such as the release does not take: they would be dead. */
  readonly invalid: number;
}

/** Activities of the control Worker, called by the workflow of a dry run. */
export interface SourceCountActivities {
  /** Reads the source to its end, or to the limit, and starts nothing; in memory is a portion at a time. Heartbeats. */
  countSource(request: SourceCountRequest): Promise<SourceCount>;
}

export interface BackfillProgress {
  /** Records read from the source; of these settled; undefined total: not known yet. */
  readonly read: number;
  readonly settled: number;
  readonly counts: OutcomeCounts;
  readonly total?: number;
}
