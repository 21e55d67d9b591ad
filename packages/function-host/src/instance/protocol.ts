/** What a host and an instance say to each other over IPC. Records are not among it: they go by reference. */
import type { FunctionSpan } from '@autoflow/pipeline/runtime';
import type { BatchStoreSettings } from '@autoflow/store';
import type { LimitedUse } from '../shares/fleet-shares.js';
import type { RecorderSettings } from './recorder.js';
import type { StageAnswer, StageInvocation } from '@autoflow/topology';

/** What a host asks; `call` names the question in all that the instance says about it. */
export type Question =
  | { readonly type: 'init'; readonly settings: InstanceSettings }
  | { readonly type: 'invoke'; readonly invocation: StageInvocation; readonly strict: boolean };

export type HostMessage =
  | (Question & { readonly call: number })
  /** The uses that were asked for last may be made. */
  | { readonly type: 'granted'; readonly call: number }
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
  /** Absent: nothing is recorded. */
  readonly recorder?: RecorderSettings;
  /** The instance replays: path of a file of `ReplayAnswers`, which stand in for every function that is not `pure`. */
  readonly answers?: string;
}

/** What a node was asked and answered about one record; `calls` is the JSON of a list of `RecordedCall`. */
export interface NodeRecording {
  readonly node: string;
  readonly key: string;
  readonly calls: string;
}

/** What an instance says about a question. */
export type Word =
  | { readonly type: 'ready' }
  /** The release cannot be loaded; the process ends. */
  | { readonly type: 'broken'; readonly message: string }
  /** Alive; the next sign of life comes within so many milliseconds, else the instance hangs. */
  | { readonly type: 'progress'; readonly at: string; readonly withinMs: number }
  /** From now on handlers may run. On its way before the first of them is called. */
  | { readonly type: 'begun' }
  /** A handler is about to use each of these once; it waits until that is `granted`, and its time with it. */
  | { readonly type: 'use'; readonly uses: readonly LimitedUse[] }
  | { readonly type: 'answer'; readonly answer: StageAnswer; readonly usage: InvocationUsage }
  | { readonly type: 'failure'; readonly failure: InvocationFailure; readonly usage: InvocationUsage }
  /** Of a sample of the records of an invocation; may come after its answer, but for a replay. */
  | { readonly type: 'recorded'; readonly scope: string; readonly recordings: readonly NodeRecording[] }
  | { readonly type: 'log'; readonly node: string; readonly key?: string; readonly message: string; readonly details?: object };

export type InstanceMessage = Word & { readonly call: number };

const MEMBERS: {
  readonly [T in Word['type']]: readonly (readonly [name: string, type: string])[];
} = {
  ready: [],
  broken: [['message', 'string']],
  progress: [
    ['at', 'string'],
    ['withinMs', 'number'],
  ],
  begun: [],
  use: [['uses', 'object']],
  answer: [
    ['answer', 'object'],
    ['usage', 'object'],
  ],
  failure: [
    ['failure', 'object'],
    ['usage', 'object'],
  ],
  recorded: [
    ['scope', 'string'],
    ['recordings', 'object'],
  ],
  log: [
    ['node', 'string'],
    ['message', 'string'],
  ],
};

/** Whether this is one of our messages: whatever else runs in the process may write to the same channel. */
export function isInstanceMessage(value: unknown): value is InstanceMessage {
  if (typeof value !== 'object' || value === null) return false;
  const found = value as { readonly [name: string]: unknown };
  const { type, call } = found;
  if (typeof type !== 'string' || !Object.hasOwn(MEMBERS, type) || typeof call !== 'number') return false;
  return MEMBERS[type as Word['type']].every(([name, expected]) => typeof found[name] === expected && found[name] !== null);
}

export function isNodeRecording(value: unknown): value is NodeRecording {
  if (typeof value !== 'object' || value === null) return false;
  return ['node', 'key', 'calls'].every((name) => typeof (value as { readonly [name: string]: unknown })[name] === 'string');
}

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
