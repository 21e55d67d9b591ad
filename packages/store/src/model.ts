/** Rows and ports of the store. Implementations are the `*.store.ts` files beside it; all SQL lives there. */
import type { Fields, Outcome, OutcomeCounts, PipelineSpec, RecordState } from '@autoflow/pipeline';
import type { BundleStore, FunctionHashes } from './bundles.model.js';
import type { ControlStore } from './control.model.js';
import type { FleetStore } from './fleet.model.js';
import type { EndedRecordsStore } from './ended-records.model.js';
import type { Arm, ArmsStore } from './arms.model.js';
import type { FeederStore } from './feeder.model.js';
import type { InboxStore, NewRecord } from './inbox.model.js';
import type { EventStore, WebhookStore } from './events.model.js';
import type { ComparisonStore } from './comparisons.model.js';
import type { DeadLetterStore } from './dead-letters.model.js';
import type { IdempotencyStore } from './idempotency.model.js';
import type { OptimizationStore } from './optimizations.model.js';
import type { PageStore } from './pages.model.js';
import type { RecordingStore } from './recordings.model.js';
import type { RolloutStore, VersionStatusRow } from './rollouts.model.js';
import type { SettingsStore } from './settings.model.js';
import type { TrainingStore } from './training.model.js';
import type { TokenStore } from './tokens.model.js';
import type { Allocation, BackfillProgress, BatchRef, Clamps, Envelope, Topology } from '@autoflow/topology';

// ── Definitions ─────────────────────────────────────────────────────────────────────────────

export interface PipelineRow {
  readonly name: string;
  /** Release and version that new executions get; `revision` is the ETag of the stable pointer. */
  readonly stable: { readonly version: string; readonly release: string; readonly revision: number };
  readonly createdAt: Date;
}
export interface ReleaseRow {
  readonly pipeline: string;
  /** SHA-256 (hex) of wiring and bundle. */
  readonly hash: string;
  readonly spec: PipelineSpec;
  /** By node; undefined for a release that was registered without its code. Where the hash stays, so do the measurements of the function. */
  readonly functions?: FunctionHashes;
  readonly createdAt: Date;
}
export interface VersionRow {
  readonly pipeline: string;
  /** `v1`, `v2`, … counted per pipeline. */
  readonly name: string;
  /** SHA-256 of release, topology and envelope: registering the same again answers the same version. */
  readonly hash: string;
  readonly release: string;
  readonly topology: Topology;
  readonly envelope: Envelope;
  readonly parent?: string;
  readonly author: string;
  readonly note?: string;
  /** Of a version that an optimizer proposed. */
  readonly proposal?: VersionProposal;
  readonly createdAt: Date;
}
/** Why a version should be better: who found it, what it is predicted to do, and the proof that it is legal. */
export interface VersionProposal {
  readonly optimization: string;
  readonly proposer: string;
  readonly ratePerSecond: number;
  readonly predicted: object;
  readonly gain: object;
  readonly certificate: object;
}
export interface AllocationRow {
  readonly pipeline: string;
  readonly version: string;
  readonly revision: number;
  readonly stages: Allocation;
  /** An operator's bounds inside the envelope; no allocation is set outside them. */
  readonly clamps: Clamps;
  readonly actor: string;
  readonly reason: string;
  readonly updatedAt: Date;
}
export interface Actor {
  readonly actor: string;
  readonly reason: string;
  readonly requestId?: string;
}

/** Shared by the control plane and the rollout and allocation activities (decision 12): compare-and-set with an audit row. */
export interface DefinitionStore {
  /** Creates the pipeline with its first release and version v1 as stable, or adds the release; idempotent. */
  registerRelease(request: {
    release: Omit<ReleaseRow, 'createdAt'>;
    topology: Topology;
    envelope: Envelope;
    allocation: Allocation;
    parent?: string;
    note?: string;
    by: Actor;
  }): Promise<{ version: VersionRow; created: boolean }>;
  pipelines(): Promise<PipelineRow[]>;
  pipeline(name: string): Promise<PipelineRow | undefined>;
  release(pipeline: string, hash: string): Promise<ReleaseRow | undefined>;
  releases(pipeline: string): Promise<ReleaseRow[]>;
  /** Empty for a release that was registered without its code, and for one that is not there. */
  functionHashes(pipeline: string, release: string): Promise<FunctionHashes>;
  registerVersion(request: {
    pipeline: string;
    hash: string;
    release: string;
    topology: Topology;
    envelope: Envelope;
    allocation: Allocation;
    parent?: string;
    note?: string;
    proposal?: VersionProposal;
    by: Actor;
  }): Promise<{ version: VersionRow; created: boolean }>;
  versions(pipeline: string): Promise<VersionRow[]>;
  version(pipeline: string, name: string): Promise<VersionRow | undefined>;
  /** Flips the stable pointer, after the batches that are being opened with the one before. `revision` undefined: no condition. Throws `StaleRevisionError` when somebody was faster. */
  setStable(request: { pipeline: string; version: string; revision?: number; by: Actor }): Promise<PipelineRow>;
  /** What it has been, oldest first. */
  statuses(pipeline: string, version: string): Promise<VersionStatusRow[]>;
  /** The workload it was decided for is no more. False when that was known. */
  expire(pipeline: string, version: string, by: Actor): Promise<boolean>;
  /** The version of a release that was stable last, or its newest if none was. */
  lastStableOf(pipeline: string, release: string): Promise<string | undefined>;
  allocation(pipeline: string, version: string): Promise<AllocationRow | undefined>;
  /** Throws `OutsideClampError` where an operator's clamp forbids it. With `clamps`, these are set as well, in place of all that there were. */
  setAllocation(request: {
    pipeline: string;
    version: string;
    stages: Allocation;
    clamps?: Clamps;
    revision?: number;
    by: Actor;
  }): Promise<AllocationRow>;
}

// ── Batches and records ─────────────────────────────────────────────────────────────────────

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
  /** One record, to measure by. */
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
    records: readonly RecordState[];
    replace: boolean;
    followsStable?: boolean;
  }): Promise<{ row: BatchRow; known: readonly string[] }>;
  batch(id: string): Promise<BatchRow | undefined>;
  openBatches(filter: { pipeline?: string; scope?: string; backfill?: string }): Promise<BatchRow[]>;
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

// ── Backfills ───────────────────────────────────────────────────────────────────────────────

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

// ── Metering ────────────────────────────────────────────────────────────────────────────────

export type Enforcement = 'cgroup-v2' | 'cgroup-v1' | 'soft';

/** One attempt of one invocation. Times in milliseconds, memory in MB, cost in US dollars. */
export interface InvocationRow {
  /** With attempt, what duplicates are recognised by. */
  readonly runId: string;
  readonly activityId: string;
  readonly attempt: number;
  readonly executionId: string;
  readonly pipeline: string;
  readonly release: string;
  readonly version: string;
  readonly stage: string;
  readonly scope: string;
  readonly batchId: string;
  readonly host: string;
  readonly startedAt: Date;
  readonly queueMs: number;
  /** Waiting for an instance in the pool's gate. */
  readonly gateMs: number;
  readonly cold: boolean;
  readonly coldStartMs: number;
  readonly durationMs: number;
  readonly cpuMs: number;
  readonly runQueueMs: number;
  readonly peakMemoryMb: number;
  readonly memoryMb: number;
  readonly enforcement: Enforcement;
  readonly recordsIn: number;
  readonly recordsOut: number;
  readonly filtered: number;
  readonly dead: number;
  readonly retried: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly outcome: 'ok' | 'out-of-memory' | 'instance-died' | 'timed-out' | 'cancelled' | 'failed';
  readonly error?: string;
  readonly costUsd: number;
  /** Measured over recorded inputs (`calibrations`), where only the functions themselves ran. */
  readonly calibration?: true;
  readonly spans: readonly SpanRow[];
}
export interface SpanRow {
  readonly node: string;
  readonly recordsIn: number;
  readonly recordsOut: number;
  readonly filtered: number;
  readonly dead: number;
  readonly retried: number;
  readonly wallMs: number;
  readonly cpuMs: number;
}
/** What a pool had and used in one interval; `…S` in instance-seconds, memory in MB-seconds. */
export interface PoolUsageRow {
  readonly host: string;
  readonly pipeline: string;
  readonly version: string;
  readonly stage: string;
  readonly memoryMb: number;
  readonly from: Date;
  readonly to: Date;
  readonly provisionedS: number;
  readonly busyS: number;
  readonly provisionedMbS: number;
  readonly usedMbS: number;
}
export interface MeteringStore {
  writeInvocations(rows: readonly InvocationRow[]): Promise<void>;
  writePoolUsage(rows: readonly PoolUsageRow[]): Promise<void>;
  /** Apart from invocations: nothing that is told of a version counts them. */
  writeCalibrations(rows: readonly InvocationRow[]): Promise<void>;
  /** Creates the partitions of the coming days and drops those older than the retention; safe to call from many hosts. */
  maintain(retentionDays: number): Promise<void>;
}

export interface MetricsQuery {
  readonly pipeline: string;
  readonly from: Date;
  readonly to: Date;
  readonly by: 'version' | 'stage' | 'function';
  readonly version?: string;
  readonly scope?: string;
}
/** Latency in milliseconds: of `version` from a record's arrival to its outcome, of `stage` per invocation, of `function` per invocation's span. */
export interface MetricsRow {
  readonly version: string;
  readonly stage?: string;
  readonly function?: string;
  readonly records: number;
  readonly invocations: number;
  readonly throughput: number;
  readonly latency: { readonly mean: number; readonly p50: number; readonly p95: number; readonly p99: number };
  readonly errorRate: number;
  /** With and without the price of Temporal actions; undefined where it cannot be told (functions share a stage's cost by CPU and wall). */
  readonly costPer1000?: { readonly all: number; readonly withoutActions: number };
  readonly utilisation?: { readonly memory: number; readonly instances: number };
  readonly cpuMs: number;
  readonly coldStarts: number;
  readonly peakMemoryMb: number;
}
export interface MetricsStore {
  metrics(query: MetricsQuery): Promise<MetricsRow[]>;
  /** Newest first. */
  calibrations(filter: { pipeline: string; before?: Date; limit: number }): Promise<InvocationRow[]>;
  invocations(filter: {
    pipeline: string;
    executionId?: string;
    version?: string;
    stage?: string;
    /** Started before. */
    before?: Date;
    limit: number;
  }): Promise<InvocationRow[]>;
}

// ── Hosts: desired state and acknowledgement (decision 7) ───────────────────────────────────

/** One pool that a host must poll. Concurrency 0: poll only (an open execution may still name it). */
export interface DesiredPool {
  readonly pipeline: string;
  readonly version: string;
  readonly release: string;
  readonly stage: string;
  readonly memoryMb: number;
  /**
   * Instances of the stage in the whole fleet, of all memory sizes together: the live hosts divide them (`FleetStore.beat`).
   * A pool that is only kept for open executions has the concurrency of its stage.
   */
  readonly concurrency: number;
}
export interface HostStore {
  /** Of stable versions, and of every version and memory class that an open batch names; with the revision it was read at. */
  desiredPools(): Promise<DesiredPool[]>;
  acknowledge(
    host: string,
    pools: readonly {
      pipeline: string;
      version: string;
      stage: string;
      memoryMb: number;
      concurrency: number;
      instances: number;
      allocationRevision?: number;
    }[],
  ): Promise<void>;
  acknowledged(
    pipeline: string,
  ): Promise<{ host: string; version: string; stage: string; memoryMb: number; concurrency: number; instances: number; at: Date }[]>;
}

// ── Access ──────────────────────────────────────────────────────────────────────────────────

export interface AuditRow {
  readonly id: number;
  readonly at: Date;
  readonly actor: string;
  readonly action: string;
  readonly pipeline?: string;
  readonly reason: string;
  readonly before?: unknown;
  readonly after?: unknown;
  readonly requestId?: string;
}
export interface AccessStore {
  /** Stores only a SHA-256; the plain token is answered once. */
  createToken(name: string, role: 'viewer' | 'operator' | 'admin', token?: string, by?: Actor): Promise<string>;
  findToken(token: string): Promise<{ name: string; role: 'viewer' | 'operator' | 'admin' } | undefined>;
  /** Newest first. `action` is one, such as `stable.set`, or what they begin with, such as `token`. */
  audit(filter: { pipeline?: string; action?: string; actor?: string; since?: Date; limit: number; before?: number }): Promise<AuditRow[]>;
}

/** Channels of LISTEN/NOTIFY; payloads are the pipeline's name. */
export type Channel =
  | 'autoflow_pools'
  | 'autoflow_stable'
  | 'autoflow_backfills'
  | 'autoflow_inbox'
  | 'autoflow_outcomes'
  | 'autoflow_hosts'
  | 'autoflow_settings'
  | 'autoflow_events';

export interface Store {
  readonly definitions: DefinitionStore;
  readonly bundles: BundleStore;
  readonly ledger: BatchLedger;
  readonly inbox: InboxStore;
  readonly arms: ArmsStore;
  readonly feeder: FeederStore;
  readonly backfills: BackfillStore;
  readonly metering: MeteringStore;
  readonly metrics: MetricsStore;
  readonly ended: EndedRecordsStore;
  readonly hosts: HostStore;
  readonly fleet: FleetStore;
  readonly access: AccessStore;
  readonly events: EventStore;
  readonly webhooks: WebhookStore;
  readonly tokens: TokenStore;
  readonly recordings: RecordingStore;
  readonly settings: SettingsStore;
  readonly rollouts: RolloutStore;
  readonly comparisons: ComparisonStore;
  readonly idempotency: IdempotencyStore;
  readonly deadLetters: DeadLetterStore;
  readonly pages: PageStore;
  readonly trainings: TrainingStore;
  readonly control: ControlStore;
  readonly optimizations: OptimizationStore;
  /** Calls back on a notification and after every reconnect (something may have been missed). */
  listen(channel: Channel, callback: (payload: string | undefined) => void): Promise<() => Promise<void>>;
  /** Applies outstanding migrations under an advisory lock; refuses a newer schema. */
  migrate(): Promise<{ applied: readonly string[] }>;
  ping(): Promise<void>;
  close(): Promise<void>;
}
