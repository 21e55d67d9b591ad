/** What a host and an instance say to each other over IPC. Records are not among it: they go by reference. */
import type { FunctionSpan } from '@autoflow/pipeline/runtime';
import type { BatchStoreSettings } from '@autoflow/store';
import type { StageAnswer, StageInvocation } from '@autoflow/topology';

export type HostMessage =
  | { readonly type: 'init'; readonly settings: InstanceSettings }
  | { readonly type: 'invoke'; readonly invocation: StageInvocation; readonly strict: boolean }
  /** The execution no longer wants the answer: the handlers' signal is aborted. */
  | { readonly type: 'cancel' }
  /** Resources are closed, then the process ends. */
  | { readonly type: 'close' };

export interface InstanceSettings {
  readonly pipeline: string;
  /** Path of the release's `index.mjs`. */
  readonly bundle: string;
  readonly batchStore: BatchStoreSettings;
  /** Values of the secrets that the stage's resources declare. */
  readonly secrets: { readonly [name: string]: string };
}

export type InstanceMessage =
  | { readonly type: 'ready' }
  /** The release cannot be loaded; the process ends. */
  | { readonly type: 'broken'; readonly message: string }
  /** Alive; the next sign of life comes within so many milliseconds, else the instance hangs. */
  | { readonly type: 'progress'; readonly at: string; readonly withinMs: number }
  | { readonly type: 'answer'; readonly answer: StageAnswer; readonly usage: InvocationUsage }
  | { readonly type: 'failure'; readonly failure: InvocationFailure; readonly usage: InvocationUsage }
  | { readonly type: 'log'; readonly node: string; readonly key?: string; readonly message: string; readonly details?: object };

export interface InvocationFailure {
  readonly type: string;
  readonly message: string;
  /** Whether the same invocation may work on another attempt. */
  readonly retryable: boolean;
}

/** What an invocation used and did, measured in the instance: in one process the shares of several could not be told apart. */
export interface InvocationUsage {
  readonly cpuMs: number;
  /** Ready to run, but waiting for a CPU: all threads together. */
  readonly runQueueMs: number;
  readonly peakMemoryMb: number;
  readonly recordsIn: number;
  readonly recordsOut: number;
  readonly filtered: number;
  readonly dead: number;
  readonly retried: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly spans: readonly FunctionSpan[];
}

/** Signs of life outside of functions: reading and writing batches. */
export const STORE_WITHIN_MS = 120_000;
