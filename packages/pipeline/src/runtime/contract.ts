/**
 * The one meaning of a pipeline: the local runner (`testing`) and the instance process run records through these functions,
 * so that a test and production cannot differ. No Node API but timers; no Temporal, no Postgres.
 */
import type { Fields } from '../json.js';
import type { RecordState } from '../record-state.js';
import type { NodeSpec } from '../spec.js';
import type { Memo } from './memo.js';
import type { ObservedAnswer, Observer } from './observe.js';

export interface RunOptions {
  /** Opened resources by name; a resource is opened once per instance. */
  readonly resource: (name: string) => Promise<unknown>;
  /** `pipeline/scope`: prefix of the idempotency keys that writing functions get. */
  readonly idempotencyScope: string;
  /** Nothing may be left for another dispatch: what would be `retry` becomes dead. */
  readonly final: boolean;
  /** Check returned fields against the declared schemas by value, not only by name (tests, shadow, samples). */
  readonly strict: boolean;
  readonly signal: AbortSignal;
  readonly log: (entry: { node: string; key: string | undefined; message: string; details: Fields | undefined }) => void;
  /** Called when a function starts and at most every 250 ms between records: proof of life for the host. */
  readonly progress: (node: string, timeoutMs: number) => void;
  /** Called around every call of a handler (`keep`, `children`, `add` too); what it throws counts as thrown by the handler. Hosts catch forbidden effects here. */
  readonly guard?: <T>(node: string, call: () => T) => T;
  /**
   * Awaited before every call of a handler that uses a resource with `limit.perSecond`: one call is one use of each, be it of one record (`handle`)
   * or of a whole batch (`handleBatch`). The wait is no time of the function's: neither its timeout nor its span counts it. It rejects when the
   * run is aborted.
   */
  readonly permit?: (uses: readonly { readonly resource: string; readonly perSecond: number }[]) => Promise<void>;
  /** Answers of functions with a `memo`; one per instance process. Without it nothing is remembered. */
  readonly memo?: Memo;
  /** Records what nodes are asked and answer. */
  readonly observer?: Observer;
  /**
   * Answers in place of every function that is not `pure`: neither its handler is called nor a resource of it opened. Nothing outside can then
   * be touched, as a `pure` function may not.
   */
  readonly standIn?: StandIn;
  /** Milliseconds. `cpu` may be coarse. */
  readonly clock: { now(): number; cpu(): number };
}

/** One call of a function for a record or one of its children; calls come in order. */
export type StandIn = (
  node: NodeSpec,
  key: string,
  input: Fields,
) => Extract<ObservedAnswer, { readonly fields: Fields } | { readonly failure: object }>;

/** What one function did in this invocation; wall and CPU in milliseconds. */
export interface FunctionSpan {
  readonly node: string;
  readonly recordsIn: number;
  readonly recordsOut: number;
  readonly filtered: number;
  readonly dead: number;
  readonly retried: number;
  readonly wallMs: number;
  readonly cpuMs: number;
}

export interface RunResult {
  /** Every record of the input is in exactly one of the two lists, each in input order. */
  readonly done: readonly RecordState[];
  readonly retry: readonly RecordState[];
  readonly spans: readonly FunctionSpan[];
}
