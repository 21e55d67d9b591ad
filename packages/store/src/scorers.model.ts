import type { Allocation, Topology } from '@autoflow/topology';

/** Scorers of topologies that were retrained on a pipeline's own history, and that history. */
export interface ScorerStore {
  /** Nothing happens where it is there already: whoever retrains may do so again. */
  add(scorer: Omit<ScorerRow, 'createdAt'> & { readonly file: string }): Promise<ScorerRow>;
  /** The file of the newest that is kept; undefined: none is, and the one that comes with AutoFlow is used. */
  current(pipeline: string): Promise<{ readonly id: string; readonly file: string } | undefined>;
  get(id: string): Promise<ScorerRow | undefined>;
  /** Newest first; `after` is an id. */
  page(pipeline: string, page: { readonly limit: number; readonly after?: string }): Promise<ScorerRow[]>;
  /**
   * What the versions of a pipeline did, stretch by stretch of equal length: those in which at least so many records ended and the allocation was
   * one throughout. Of the versions of one release, for another one's functions are others.
   */
  history(query: HistoryQuery): Promise<HistoryStretch[]>;
}

export interface ScorerRow {
  readonly id: string;
  readonly pipeline: string;
  readonly kept: boolean;
  readonly reason: string;
  readonly about: { readonly [name: string]: unknown };
  readonly createdAt: Date;
}

export interface HistoryQuery {
  readonly pipeline: string;
  readonly release: string;
  readonly from: Date;
  readonly to: Date;
  readonly stretchMs: number;
  readonly fewestRecords: number;
  /** The latest. */
  readonly limit: number;
}
export interface HistoryStretch {
  readonly version: string;
  readonly at: Date;
  readonly topology: Topology;
  readonly allocation: Allocation;
  /** That ended in it; per second, of those that arrived and of those that ended. */
  readonly records: number;
  readonly ratePerSecond: number;
  readonly throughput: number;
  readonly p95Ms: number;
  /** US dollars, Temporal's actions included. */
  readonly costPer1000: number;
}
