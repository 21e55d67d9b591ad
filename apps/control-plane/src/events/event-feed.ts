import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';
import { ProblemError } from '@autoflow/http';
import type { EventRow, Store } from '@autoflow/store';
import { STORE } from '../ports.js';

const MAX_READERS = 200;
const PAGE = 200;
/** Besides notifications: an event that is held back by an older transaction appears without one. */
const LOOK_EVERY_MS = 1_000;

/**
 * What all streams of this process share: one LISTEN, and one read for those who stand at the same place. A reader keeps nothing but its place, so a
 * slow one costs no memory, and none waits for another.
 */
@Injectable()
export class EventFeed implements OnModuleDestroy {
  #readers = 0;
  #turn = 0;
  #waiting = new Set<() => void>();
  #listening: Promise<() => Promise<void>> | undefined;
  #timer: NodeJS.Timeout | undefined;
  readonly #reads = new Map<string, Promise<EventRow[]>>();

  constructor(@Inject(STORE) private readonly store: Store) {}

  /** Until `leave` is called, the reader is counted and told of changes. */
  enter(): { leave: () => void } {
    if (this.#readers >= MAX_READERS) throw new ProblemError('TOO_MANY_STREAMS', `${MAX_READERS} streams of events are open here.`);
    this.#readers++;
    this.#timer ??= setInterval(() => this.#wake(), LOOK_EVERY_MS).unref();
    // Without notifications the look every second remains; the next reader tries again.
    this.#listening ??= this.store.listen('autoflow_events', () => this.#wake());
    this.#listening.catch(() => (this.#listening = undefined));
    let left = false;
    return {
      leave: () => {
        if (left) return;
        left = true;
        if (--this.#readers > 0) return;
        clearInterval(this.#timer);
        this.#timer = undefined;
      },
    };
  }

  head(): Promise<string> {
    return this.store.events.head();
  }

  /** What comes after a place, and the turn at which it was read, to be given to `changed`. */
  async read(place: string): Promise<{ events: EventRow[]; turn: number }> {
    const turn = this.#turn;
    const key = `${turn} ${place}`;
    const read = this.#reads.get(key) ?? this.store.events.after(place, PAGE);
    this.#reads.set(key, read);
    try {
      return { events: await read, turn };
    } finally {
      this.#reads.delete(key);
    }
  }

  /** Resolves when something may have happened since that turn, or when the signal is aborted. */
  changed(turn: number, signal: AbortSignal): Promise<void> {
    if (turn !== this.#turn || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        this.#waiting.delete(done);
        signal.removeEventListener('abort', done);
        resolve();
      };
      this.#waiting.add(done);
      signal.addEventListener('abort', done);
    });
  }

  async onModuleDestroy(): Promise<void> {
    clearInterval(this.#timer);
    const stop = await this.#listening?.catch(() => undefined);
    await stop?.();
  }

  #wake(): void {
    this.#turn++;
    for (const done of this.#waiting) done();
  }
}
