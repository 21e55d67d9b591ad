import type { Allocation } from '@autoflow/topology';
import type { PlanModel } from '../model/plan-model.js';

export interface SimulatorOptions {
  readonly plan: PlanModel;
  readonly allocation: Allocation;
  /** When records arrive, in milliseconds, ascending. */
  readonly arrivals: Float64Array;
  readonly seed: number;
  /** Executions open at once; the backlog stays in the inbox. `fed`: as many as a feeder lets, by its rule. Default: no bound. */
  readonly openExecutions?: number | 'fed';
  /** Share of batches that are probes (`probeRecords`). Default 0. */
  readonly probes?: number;
  /** All instances are there at the start. Default true. */
  readonly warm?: boolean;
  /** Distribution of the factor of an invocation, mean 1. Exponential is for the comparison with queueing theory. */
  readonly noise?: 'lognormal' | 'exponential';
  /** Told of every invocation that ends; for the generation of metering rows. */
  readonly observe?: (invocation: ObservedInvocation) => void;
  /** Told when an invocation asks for an instance and when it has one; `record` is the first of its batch. */
  readonly waits?: WaitLedger;
}
export interface WaitLedger {
  queued(record: number, stage: number, now: number): void;
  begun(record: number, stage: number, now: number): void;
}
export interface ObservedInvocation {
  readonly stage: number;
  readonly execution: number;
  /** When its batch was opened. */
  readonly openedAt: number;
  readonly records: number;
  readonly startedAt: number;
  readonly dispatchMs: number;
  readonly waitMs: number;
  readonly coldStartMs: number;
  readonly durationMs: number;
  readonly cpuMs: number;
  readonly ioMs: number;
  readonly workingSetMb: number;
  readonly retried: number;
  readonly dead: number;
  readonly filtered: number;
}
