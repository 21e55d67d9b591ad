/** Rows and ports of what happened: events, and the webhooks that tell of them. */
import type { Actor } from './definitions.model.js';

/** What an event is told as. `id` is opaque, unique and the place in the feed at the same time. */
export interface EventRow {
  readonly id: string;
  readonly at: Date;
  readonly pipeline?: string;
  /** `stable.set`, `dead-letters.added`, `host.joined`, …: the action of the audit row, where there is one. */
  readonly type: string;
  readonly data: unknown;
}
export interface NewEvent {
  readonly pipeline?: string;
  readonly type: string;
  /** Never a field of a record, never a secret. */
  readonly data: object;
}

export interface EventStore {
  /** For what has no transaction of its own in the store, such as a host that joins. */
  append(event: NewEvent): Promise<void>;
  /**
   * The events after a place, in the order of the feed: reading on from the last one misses none and repeats none. An event appears when every
   * transaction older than its own has ended. A place whose events were removed by age goes on with the oldest there are.
   */
  after(place: string, limit: number): Promise<EventRow[]>;
  /** The place behind the last event there is: what is after it is yet to happen. */
  head(): Promise<string>;
  /** Newest first; `before` is the id of the last one seen. */
  list(filter: { pipeline?: string; types?: readonly string[]; limit: number; before?: string }): Promise<EventRow[]>;
  /** Answers how many went. In portions, so that nobody waits. */
  removeOlderThan(time: Date): Promise<number>;
}

export interface WebhookRow {
  readonly id: string;
  readonly url: string;
  /** Absent: all. */
  readonly types?: readonly string[];
  readonly pipelines?: readonly string[];
  readonly createdAt: Date;
  /** Events delivered so far. */
  readonly delivered: number;
  /** Failed attempts at the next event. */
  readonly attempts: number;
  readonly failingSince?: Date;
  readonly nextAt: Date;
  readonly lastError?: string;
  readonly disabledAt?: Date;
}
/** One that has something to deliver, held by whoever claimed it. */
export interface ClaimedWebhook extends WebhookRow {
  readonly secret: string;
  /** The place in the feed of the last event it is done with. */
  readonly place: string;
}

export interface WebhookStore {
  /** Hears of what happens from now on. */
  create(row: Pick<WebhookRow, 'id' | 'url' | 'types' | 'pipelines'> & { readonly secret: string }, by: Actor): Promise<WebhookRow>;
  list(): Promise<WebhookRow[]>;
  get(id: string): Promise<WebhookRow | undefined>;
  /** False when there is none. */
  remove(id: string, by: Actor): Promise<boolean>;
  /** Those that are due, have events to read and that nobody holds: they are the caller's for `leaseMs`. */
  claim(leaseMs: number): Promise<ClaimedWebhook[]>;
  /** Done with the events up to `place`; the lease is renewed, or given back with `leaseMs` 0. */
  delivered(id: string, place: string, events: number, leaseMs: number): Promise<void>;
  /** Tried again after `retryMs`; given up and disabled, with an event, when it has failed for longer than `giveUpMs`. Answers whether it was. */
  failed(id: string, error: string, retryMs: number, giveUpMs: number): Promise<boolean>;
}
