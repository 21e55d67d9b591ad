import type { Fields } from './json.js';
import type { Resource } from './resource.js';
import type { Effect } from './spec.js';

interface Common {
  /** Aborted when the call has taken longer than its timeout, or the invocation was cancelled. */
  readonly signal: AbortSignal;
  readonly log: (message: string, details?: Fields) => void;
}

/** What `handle` gets beside its record. */
export interface Context extends Common {
  /** ISO time at which the record arrived: the same on every attempt. */
  readonly now: string;
}

/** What `handleBatch` gets beside its records: a batch has no meaning, so no time of its own. */
export interface BatchContext extends Common {
  /** `nows[i]` is the ISO time at which `records[i]` arrived. */
  readonly nows: readonly string[];
}

/** What a function with a write effect gets as well. */
export interface WriteContext {
  /** `keys[i]` names the i-th record of the call in this function for ever, whatever the attempt, version or batch (`handle`: one). */
  readonly keys: readonly [string, ...string[]];
}

/** Resources by the name under which the handler gets them. `any`: a resource both gives and takes what it opens. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- of any type: `unknown` would refuse resources whose `close` takes their own
export type Uses = { readonly [name: string]: Resource<any> } & {
  readonly [K in keyof Context | keyof BatchContext | keyof WriteContext]?: never;
};
export type Opened<U> = { readonly [K in keyof U]: U[K] extends Resource<infer R> ? R : never };

/** `C` is Context or BatchContext. A pure function gets no resource; only writes get keys. */
export type ContextOf<C, E extends Effect, U extends Uses> = E extends 'pure' ? C : (E extends 'read' ? C : C & WriteContext) & Opened<U>;

export const CONTEXT_NAMES: readonly string[] = ['signal', 'log', 'now', 'nows', 'keys'];
