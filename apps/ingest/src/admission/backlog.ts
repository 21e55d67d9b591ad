/** How much of a pipeline waits already: counted about once a second, by whoever asks first. */
import { setTimeout as delay } from 'node:timers/promises';
import { ProblemError } from '@autoflow/http';
import type { Store } from '@autoflow/store';
import type { Counts } from '../metrics/counts.js';
import type { Limits } from '../ports.js';

const FRESH_MS = 1_000;
/** Counting many rows takes its time: it is done so rarely that it takes no more than a twentieth of one connection. */
const REST = 20;
const POLL_MS = 250;

interface Count {
  readonly records: number;
  readonly staleAt: number;
}

export class Backlog {
  private readonly counts = new Map<string, { count: Promise<Count>; since: number }>();

  constructor(
    private readonly store: Pick<Store, 'inbox'>,
    private readonly limits: Pick<Limits, 'waiting' | 'patienceMs'>,
    private readonly told: Pick<Counts, 'full'>,
  ) {}

  /** Throws `BACKLOG_FULL` when so many records of the pipeline wait that no more are taken. */
  async mustHaveRoom(pipeline: string): Promise<void> {
    const waiting = await this.waiting(pipeline);
    if (waiting < this.limits.waiting) return;
    this.told.full(pipeline);
    throw new ProblemError('BACKLOG_FULL', `${waiting} records of ${pipeline} wait; beyond ${this.limits.waiting} no more are taken.`);
  }

  /** A stream is slowed down instead of refused; when there is no room for long, it is refused after all. */
  async room(pipeline: string, signal: AbortSignal): Promise<void> {
    for (const end = performance.now() + this.limits.patienceMs; (await this.waiting(pipeline)) >= this.limits.waiting;) {
      if (performance.now() > end) return this.mustHaveRoom(pipeline);
      await delay(POLL_MS, undefined, { signal });
    }
  }

  /** What this process has accepted since the count. */
  add(pipeline: string, accepted: number): void {
    const known = this.counts.get(pipeline);
    if (known !== undefined) known.since += accepted;
  }

  private async waiting(pipeline: string): Promise<number> {
    const known = this.counts.get(pipeline);
    if (known !== undefined) {
      const { records, staleAt } = await known.count;
      if (performance.now() < staleAt) return records + known.since;
    }
    // Somebody else may have asked while this one waited for the count there was.
    const newest = this.counts.get(pipeline);
    if (newest !== undefined && newest !== known) return (await newest.count).records + newest.since;
    if (this.counts.size >= 1_000) this.counts.clear();
    const count = this.count(pipeline);
    const entry = { count, since: 0 };
    this.counts.set(pipeline, entry);
    count.catch(() => this.counts.delete(pipeline));
    return (await count).records + entry.since;
  }

  private async count(pipeline: string): Promise<Count> {
    const began = performance.now();
    const { records } = await this.store.inbox.waiting(pipeline);
    const ended = performance.now();
    return { records, staleAt: ended + Math.max(FRESH_MS, REST * (ended - began)) };
  }
}
