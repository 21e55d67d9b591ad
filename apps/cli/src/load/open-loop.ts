/** Open loop: what is sent, and when, is settled before anything is sent, and no answer changes it. */
import type { Trace } from '@autoflow/twin';
import type { Clock } from './clock.js';
import { Histogram, type Summary } from './histogram.js';

/** Where the load goes. */
export interface Submitter<R> {
  /** Resolves when each record is in good hands or refused; rejects when that cannot be told. */
  submit(records: readonly R[]): Promise<Submission>;
}
export interface Submission {
  readonly accepted: number;
  /** By a bound, or as malformed. */
  readonly refused: number;
}

export interface OfferOptions<R> {
  readonly trace: Trace;
  readonly seed: number;
  /** The `number`-th record, meant to arrive `intendedMs` after the start. */
  readonly record: (number: number, intendedMs: number) => R;
  readonly submitter: Submitter<R>;
  readonly clock: Clock;
  /** Arrivals of so many milliseconds travel together (default 5); what the first of them waits is part of its latency. */
  readonly windowMs?: number;
  /** Of one post (default 500). */
  readonly maxRecords?: number;
  /** Records sent and not answered (default 20,000), so that memory is bounded. At the bound sending waits, and says so as lateness. */
  readonly maxPending?: number;
  readonly signal?: AbortSignal;
  readonly onSent?: (sent: Sent) => void;
}

export interface Sent {
  /** Arrivals that were due. */
  readonly offered: number;
  readonly accepted: number;
  readonly refused: number;
  /** Nobody knows whether they were taken. */
  readonly failed: number;
  /** Of the first thing that failed. */
  readonly failure?: string;
}
export interface Offered extends Sent {
  /** Milliseconds since the epoch: the start of the trace, and of its end (or of the interruption). */
  readonly startedAt: number;
  readonly endedAt: number;
  /** How long after its moment each record left: the generator's own delay. Undefined when nothing was sent. */
  readonly lateness: Summary | undefined;
}

/** Sends the whole trace, or as much as the signal allows, and answers when every post is answered. */
export async function offer<R>(options: OfferOptions<R>): Promise<Offered> {
  const { trace, seed, record, clock, windowMs = 5, maxRecords = 500, maxPending = 20_000, signal } = options;
  const posts = new Posts(options.submitter);
  const lateness = new Histogram();
  const startedAt = clock.now();
  const arrivals = trace.arrivals(seed)[Symbol.iterator]();
  let [arrival, number] = [arrivals.next(), 0];
  const isOver = (): boolean => arrival.done === true || signal?.aborted === true;
  while (!isOver()) {
    const dueAt = startedAt + (arrival.value as number) + windowMs;
    await clock.sleepUntil(dueAt, signal);
    while (posts.pending >= maxPending && signal?.aborted !== true) await posts.oneAnswered();
    if (isOver()) break;
    const now = clock.now();
    const group: R[] = [];
    for (; arrival.done !== true && startedAt + arrival.value <= now && group.length < maxRecords; arrival = arrivals.next()) {
      group.push(record(number++, arrival.value));
      // Of each record: one late post holds all that were due meanwhile.
      lateness.record(Math.max(0, now - (startedAt + arrival.value + windowMs)));
    }
    posts.send(group);
    options.onSent?.(posts.sent);
  }
  if (signal?.aborted !== true) await clock.sleepUntil(startedAt + trace.durationMs, signal);
  const endedAt = clock.now();
  await posts.allAnswered();
  return { ...posts.sent, startedAt, endedAt, lateness: lateness.summary() };
}

class Posts<R> {
  pending = 0;
  private readonly open = new Set<Promise<void>>();
  private counts = { offered: 0, accepted: 0, refused: 0, failed: 0 };
  private failure: string | undefined;

  constructor(private readonly submitter: Submitter<R>) {}

  get sent(): Sent {
    return { ...this.counts, ...(this.failure !== undefined && { failure: this.failure }) };
  }

  send(records: readonly R[]): void {
    this.pending += records.length;
    this.counts.offered += records.length;
    const post = this.answer(records).finally(() => {
      this.pending -= records.length;
      this.open.delete(post);
    });
    this.open.add(post);
  }

  async oneAnswered(): Promise<void> {
    await Promise.race(this.open);
  }
  async allAnswered(): Promise<void> {
    await Promise.all(this.open);
  }

  private async answer(records: readonly R[]): Promise<void> {
    try {
      const { accepted, refused } = await this.submitter.submit(records);
      this.counts.accepted += accepted;
      this.counts.refused += refused;
    } catch (error) {
      this.counts.failed += records.length;
      this.failure ??= error instanceof Error ? error.message : String(error);
    }
  }
}
