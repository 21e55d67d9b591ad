/**
 * The serialisable form of a pipeline: what the control plane stores, what legality is decided on, what is hashed.
 * It holds no code. `specOf(pipeline)` makes it; a bundle's own copy of the DSL gives the same spec as any other.
 */
import type { Json } from './json.js';

export type Effect = 'pure' | 'read' | 'idempotent-write' | 'write';
export type FunctionKind = 'function' | 'filter' | 'expand' | 'reduce';

/** Retry options have the fields of Temporal's retry policy and mean: per-record re-dispatch. */
export interface RetryPolicy {
  /** Attempts in all, the first included. A plain `write` always has 1. */
  readonly maximumAttempts: number;
  readonly initialIntervalMs: number;
  readonly backoffCoefficient: number;
  readonly maximumIntervalMs: number;
}

export interface ResourceSpec {
  readonly name: string;
  /** Names of the secrets that `open` may ask for. */
  readonly secrets: readonly string[];
  /** Fleet-wide. */
  readonly limit?: { readonly concurrency?: number; readonly perSecond?: number };
}

/** One call of a function in the wiring. `join` and the input are not nodes: they leave no trace but `inputs`. */
export interface NodeSpec {
  /** The function's name; a second call of the same function is `name#2`. */
  readonly id: string;
  readonly name: string;
  readonly kind: FunctionKind;
  readonly effect: Effect;
  /** Ids of the nodes whose records this one is called on, joins flattened; empty: the input record. In written order. */
  readonly inputs: readonly string[];
  /** Ids of the open expands in which the node's *input* records live; `[]` is the record itself. */
  readonly scope: readonly string[];
  readonly reads: readonly string[];
  /** Fields it adds: for an expand those of the children, for a reduce the one field of the parent, for a filter none. */
  readonly writes: readonly string[];
  /** Names of resources. */
  readonly uses: readonly string[];
  /** The handler takes the batch at once. */
  readonly batched: boolean;
  /** Bounds one call of the handler. */
  readonly timeoutMs: number;
  readonly retry: RetryPolicy;
  readonly memo?: { readonly ttlMs: number };
}

export interface PipelineSpec {
  readonly name: string;
  /** The input field that identifies a record. */
  readonly key: string;
  /** Input fields. */
  readonly input: readonly string[];
  readonly output: readonly string[];
  /** In the order written, which is topological. */
  readonly nodes: readonly NodeSpec[];
  readonly resources: readonly ResourceSpec[];
  /** Paths of what is marked as sensitive in any of the pipeline's schemas: JSON pointers, `*` for each element. Absent where nothing is. */
  readonly sensitive?: readonly string[];
  /** JSON Schemas, for documents and clients; not part of the hash of the wiring. */
  readonly schemas: { readonly input: Json; readonly output: Json };
}
