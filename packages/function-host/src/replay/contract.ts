/** Replay: recorded records run again through a topology, in real instances, without touching anything outside. */
import type { Fields, Outcome, PipelineSpec } from '@autoflow/pipeline';
import type { Enforcement, FunctionHashes, RecordedCall } from '@autoflow/store';
import type { Topology } from '@autoflow/topology';
import type { FunctionHostOptions } from '../contract.js';
import type { InvocationUsage } from '../instance/protocol.js';
import type { ReplayAnswers } from './answers.js';

export type ReplayOptions = Pick<
  FunctionHostOptions,
  'releases' | 'releaseSource' | 'enforcement' | 'instanceEnvironment' | 'loadWithinMs' | 'log'
>;

export interface ReplayRequest {
  readonly pipeline: string;
  readonly release: string;
  readonly topology: Topology;
  /** Of each stage: MB at the start, then the sizes to go to when memory runs out, ascending. */
  readonly memoryMb: { readonly [stage: string]: readonly number[] };
  readonly records: readonly ReplayRecord[];
  readonly answers: ReplayAnswers;
  /** Records of one batch after the other, again from the first when they are used up; default: as many as the topology has. */
  readonly batchSizes?: readonly number[];
  /** Check returned fields by value, and refuse undeclared ones. */
  readonly strict: boolean;
  readonly signal: AbortSignal;
}
export interface ReplayRecord {
  /** The key of the record in `answers`. Who comes twice is one record to them. */
  readonly id: string;
  readonly arrivedAt: Date;
  /** As it came in. */
  readonly record: Fields;
}

export interface Replayed {
  /** In the order of the request; `outcome.key` is the id. */
  readonly records: readonly ReplayedRecord[];
  readonly invocations: readonly ReplayedInvocation[];
}
export interface ReplayedRecord {
  readonly outcome: Outcome;
  /** What each node was asked and answered. */
  readonly calls: { readonly [node: string]: readonly RecordedCall[] };
}
export interface ReplayedInvocation {
  readonly stage: string;
  readonly memoryMb: number;
  readonly startedAt: Date;
  readonly coldStartMs: number;
  readonly durationMs: number;
  readonly usage: InvocationUsage;
}

export interface Replay {
  readonly enforcement: Enforcement;
  /** Throws `ReleaseError` for one that cannot be had. */
  release(hash: string, pipeline: string): Promise<{ readonly spec: PipelineSpec; readonly functions: FunctionHashes }>;
  /**
   * Every record has an outcome: as live ones have, but that a record is not dispatched again when a function fails, and is dead with the code
   * NOT_RECORDED where what stands outside was never recorded. What an instance cannot live through kills the records that it is due to, alone.
   * Leaves no process and no file behind. Rejects with the signal's reason when it is aborted.
   */
  run(request: ReplayRequest): Promise<Replayed>;
  close(): void;
}
