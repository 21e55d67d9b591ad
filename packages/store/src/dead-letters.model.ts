import type { Actor } from './definitions.model.js';
import type { DeadLetterRow } from './ledger.model.js';

/**
 * `open`: nobody has done anything yet, and the record is dead. `redriven` and `discarded`: somebody has. `past`: the record was run again
 * since, by whomever.
 */
export type LetterState = 'open' | 'redriven' | 'discarded' | 'past';

export interface Letter extends DeadLetterRow {
  readonly state: LetterState;
  /** `recordDigest` of what was sent, where that is known: `record` may have defaults of the release besides. */
  readonly digest?: string;
  /** Its key was made up for a record that came by COPY and was refused: under it, the record would run as another one. */
  readonly keyless: boolean;
  /** What was done with it: when, by whom and why. */
  readonly fate?: { readonly at: Date; readonly actor: string; readonly reason: string };
}
export interface LetterFilter {
  readonly pipeline: string;
  /** Default: `open`. */
  readonly state?: LetterState | 'any';
  readonly scope?: string;
  readonly code?: string;
  /** Function or stage in which they died. */
  readonly in?: string;
  readonly version?: string;
  readonly release?: string;
  readonly since?: Date;
  readonly keyless?: boolean;
}
export interface LetterGroup {
  readonly code: string;
  readonly in: string;
  readonly count: number;
  readonly firstAt: Date;
  readonly lastAt: Date;
  /** The newest one's. */
  readonly message: string;
}
export interface DeadLetterStore {
  /** Newest first; `after` is the last id seen. */
  list(filter: LetterFilter & { limit: number; after?: string }): Promise<Letter[]>;
  count(filter: LetterFilter): Promise<number>;
  /** By code and place, the most frequent first. */
  groups(filter: LetterFilter & { limit: number }): Promise<LetterGroup[]>;
  get(pipeline: string, id: string): Promise<Letter | undefined>;
  /** All letters of a record, oldest first. */
  history(pipeline: string, scope: string, key: string): Promise<Letter[]>;
  /** Sets the fate of those that are still open, with one audit row for all; answers their ids. Again: changes nothing, answers none. */
  settle(request: {
    pipeline: string;
    ids: readonly string[];
    fate: 'redriven' | 'discarded';
    by: Actor;
    note?: object;
  }): Promise<string[]>;
}
