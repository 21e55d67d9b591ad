/** What is measured. */
import type { FunctionSpan } from '@autoflow/pipeline/runtime';

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
  /** Of a batch that the feeder sent as a probe. */
  readonly probe?: true;
  /** Of its batch; read, not written. */
  readonly openedAt?: Date;
  readonly closedAt?: Date;
  /** Measured over recorded inputs (`calibrations`), where only the functions themselves ran. */
  readonly calibration?: true;
  readonly spans: readonly SpanRow[];
}
/** As the instance tells it. */
export type SpanRow = FunctionSpan;

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
  /** Of which invocations are kept: UTC, as 2026-03-04. */
  days(): Promise<string[]>;
  /**
   * Creates the partitions of the coming days and drops those older than the retention. Safe to call from many hosts.
   */
  maintain(retentionDays: number): Promise<void>;
}
