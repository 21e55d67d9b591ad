/** The rate of a backfill. */
export interface Clock {
  /** Milliseconds; does not jump. */
  now(): number;
  /** Rejects when it is aborted. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}
export const REAL_TIME: Clock = { now: () => performance.now(), sleep };

/**
 * So many records per second at most: each portion takes up its time before the next one has its turn. Time that was lost, because executions
 * were slow or nothing was settled, is not made up for.
 */
export class Pace {
  private freeAt: number;
  constructor(
    private readonly perSecond: number,
    private readonly clock: Clock,
  ) {
    this.freeAt = clock.now();
  }

  async turn(signal: AbortSignal): Promise<void> {
    const early = this.freeAt - this.clock.now();
    if (early > 0) await this.clock.sleep(early, signal);
  }

  passed(records: number): void {
    this.freeAt = Math.max(this.freeAt + (records / this.perSecond) * 1_000, this.clock.now());
  }
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  return new Promise((resolve, reject) => {
    const timer = setTimeout(done, ms);
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      if (signal.aborted) reject(signal.reason as Error);
      else resolve();
    }
    signal.addEventListener('abort', done);
  });
}
