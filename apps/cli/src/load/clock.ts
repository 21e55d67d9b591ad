import { setImmediate, setTimeout } from 'node:timers/promises';

/** Time as the load sees it; a test has its own. */
export interface Clock {
  /** Milliseconds since the epoch, never backwards. */
  now(): number;
  /** Resolves at that moment, or when the signal is aborted; later ones of other work that is due may come first. */
  sleepUntil(ms: number, signal?: AbortSignal): Promise<void>;
}

/** Monotonic, so that a correction of the wall clock during a run is no latency. */
export const systemClock: Clock = {
  now: () => performance.timeOrigin + performance.now(),
  async sleepUntil(ms, signal) {
    const left = ms - systemClock.now();
    // A generator that is behind must still let answers in.
    if (left <= 0) return setImmediate();
    await setTimeout(left, undefined, { ...(signal && { signal }) }).catch(() => {});
  },
};
