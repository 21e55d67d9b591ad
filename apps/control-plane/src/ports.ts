import type { Log, Store } from '@autoflow/store';

/** What the control plane touches outside. */
export interface Ports {
  readonly store: Store;
  readonly backfillRuns: BackfillRuns;
  readonly log: Log;
}

/** The workflows behind backfills. Every call is safe to repeat; throws `TEMPORAL_UNAVAILABLE` (retryable) when the server does not answer. */
export interface BackfillRuns {
  start(backfillId: string): Promise<void>;
  /** A run that has ended already is left alone. */
  signal(backfillId: string, signal: 'pause' | 'cancel'): Promise<void>;
  /** Starts a run if there is none: one that was terminated goes on where its row stands. */
  resume(backfillId: string): Promise<void>;
  ping(): Promise<void>;
}

/** Injection tokens: explicit, so that no decorator metadata is needed. */
export const STORE = Symbol('Store');
export const BACKFILL_RUNS = Symbol('BackfillRuns');
