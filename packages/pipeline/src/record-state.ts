/**
 * What a record is while it flows: one bag of fields per identity, to which functions only add.
 * A batch is a list of these; one line of a batch file is one of these.
 */
import type { Fields, Json } from './json.js';

/** Why a record ended before its end. `filtered` beats `dead` (see `settle`). */
export interface Filtered {
  readonly by: string;
  readonly reason: string;
}
export interface Death {
  /** Id of the node, or the name of the stage when the process died and the node is not known. */
  readonly in: string;
  readonly code: string;
  readonly message: string;
}

export interface ChildState {
  readonly fields: Fields;
  /** Children of this child, by expand id. */
  readonly children?: { readonly [expand: string]: readonly ChildState[] };
  /** Ids of the filters that dropped this child; only nodes behind one of them do not see it. */
  readonly droppedBy?: readonly string[];
}

export interface RecordState {
  /** Position in the batch as admitted: the identity by which branches and partitions merge. */
  readonly index: number;
  readonly key: string;
  /** ISO time at which the record arrived: `now` of every handler. */
  readonly arrivedAt: string;
  readonly fields: Fields;
  readonly children?: { readonly [expand: string]: readonly ChildState[] };
  readonly filtered?: Filtered;
  /** A dying record goes on only through the nodes that a filter still needs; writes never run for it. */
  readonly death?: Death;
  /** Nodes that failed for a dying record, that of its death among them: whatever depends on one of them cannot run for it. */
  readonly failed?: readonly string[];
  /** Only in a batch that is to be dispatched again: node to resume at, and attempts made there. */
  readonly retry?: { readonly at: string; readonly attempts: number; readonly code: string; readonly message: string };
}

export type Outcome =
  | { readonly state: 'completed'; readonly key: string; readonly output: Fields }
  | { readonly state: 'filtered'; readonly key: string; readonly by: string; readonly reason: string }
  | { readonly state: 'dead'; readonly key: string; readonly in: string; readonly code: string; readonly message: string }
  | { readonly state: 'cancelled'; readonly key: string };

export interface OutcomeCounts {
  readonly completed: number;
  readonly filtered: number;
  readonly dead: number;
  readonly cancelled: number;
}

export type { Json };
