import type { Allocation, Topology } from '@autoflow/topology';
import type { Actor } from './definitions.model.js';

/** Scorers of topologies that were retrained on a pipeline's own history, and that history. */
export interface ScorerStore {
  /** Writes down who has asked for one, with which settings, and why. */
  asked(retraining: { readonly id: string; readonly pipeline: string; readonly request: object }, by: Actor): Promise<void>;
  /**
   * Is kept only where the current one is still `base` (undefined: the one that comes with AutoFlow), for with no other has it been compared: of two that
   * were held against the same, the second is not, and its reason says so. Nothing happens where it is there already: whoever retrains may do so again.
   */
  add(scorer: Omit<ScorerRow, 'createdAt'> & { readonly base?: string; readonly file: string }): Promise<ScorerRow>;
  /** Of a release, the newest that is kept; undefined: none is, and the one that comes with AutoFlow is used. */
  current(pipeline: string, release: string): Promise<CurrentScorer | undefined>;
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
  /** Whose history it has learned from: another one's functions are others. */
  readonly release: string;
  readonly kept: boolean;
  readonly reason: string;
  readonly about: { readonly [name: string]: unknown };
  readonly createdAt: Date;
}

export type CurrentScorer = Pick<ScorerRow, 'id' | 'about'> & { readonly file: string };

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
