/** What is told of what was measured. */
import type { LoadShape } from '@autoflow/twin';
import type { InvocationRow } from './metering.model.js';

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
  /**
   * How the load of the pipeline varied since `version` had its first record, by the latest arrivals before `to`: two thousand and ten minutes at the most,
   * of records that ended since `from` and of those that are still on their way, backfills apart. Undefined: it was steady, or too short to tell.
   */
  shape(query: Omit<MetricsQuery, 'by'>): Promise<LoadShape | undefined>;
  /** Of the last day on which the version had traffic, whenever that was; undefined where nothing of it is kept any more. */
  lastDay(pipeline: string, version: string): Promise<MetricsRow | undefined>;
  /** Newest first. */
  calibrations(filter: { pipeline: string; since?: Date; before?: Date; limit: number }): Promise<InvocationRow[]>;
  invocations(filter: {
    pipeline: string;
    executionId?: string;
    version?: string;
    stage?: string;
    /** Started then or later, and before. */
    since?: Date;
    before?: Date;
    limit: number;
  }): Promise<InvocationRow[]>;
}
