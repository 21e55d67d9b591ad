/** How many executions of a pipeline, of one of its arms, may be open at once: a few seconds of work, so that the backlog stays where it can still change its mind. */

/** What the bound is shown: executions that were closed within so long. What is shown for longer was open before the last decrease, and tells nothing of it. */
export const LOAD_WINDOW_MS = 1_000;

/** Executions that were closed within `LOAD_WINDOW_MS`, and how long they were open (ms), mean. */
export interface ClosedLoad {
  readonly closed: number;
  readonly meanOpenMs: number;
}
export interface BoundSettings {
  /** An execution should not be open for longer (ms), mean. */
  readonly targetMs: number;
  readonly initial: number;
  readonly least: number;
  readonly most: number;
  /** Between two changes (ms). */
  readonly everyMs: number;
}
export const BOUND: BoundSettings = { targetMs: 2_000, initial: 8, least: 2, most: 500, everyMs: 500 };

/**
 * Additive increase while executions end within the target and the bound is what holds feeding back, multiplicative decrease when they do
 * not, once for the executions that were open at the time: those that began before a decrease tell nothing of it, so that a moment of cold starts
 * does not close the door. Until the first decrease it doubles (as TCP does, and for the same reason). A pipeline whose executions take long even when hardly
 * any is open is not slowed down for it: its target is twice the shortest mean that was seen. That mean is of few where few end in a second, and
 * chance: whatever it says, instances that there are have work, since what they work on is no backlog.
 */
export class OpenBound {
  private bound: number;
  private slowStart = true;
  private shortestMs = Infinity;
  private restsUntil = -Infinity;
  private heldBack = false;
  private busy = 0;
  constructor(private readonly settings: BoundSettings = BOUND) {
    this.bound = settings.initial;
  }

  get limit(): number {
    return Math.max(this.bound, this.busy);
  }

  /** So many instances, of the stage that has the most, are not to wait for work: each has what it does and what it does next. */
  keepBusy(instances: number): void {
    this.busy = Math.min(this.settings.most, 2 * instances);
  }

  /** The bound was what kept a batch from being opened. */
  reached(): void {
    this.heldBack = true;
  }

  /** `now` in ms, of any clock that does not jump. False: it rests, and has not looked. */
  observe({ closed, meanOpenMs }: ClosedLoad, now: number): boolean {
    const { targetMs, least, most, everyMs } = this.settings;
    if (closed === 0 || now < this.restsUntil) return false;
    this.restsUntil = now + everyMs;
    // It fades, so that a pipeline that has become slower by nature is not choked for ever.
    this.shortestMs = Math.min(this.shortestMs * 1.01, meanOpenMs);
    if (meanOpenMs > Math.max(targetMs, 2 * this.shortestMs)) {
      this.slowStart = false;
      this.restsUntil = now + Math.max(everyMs, meanOpenMs);
      this.bound = Math.max(least, Math.floor(this.limit * 0.7));
    } else if (this.heldBack) this.bound = Math.min(most, this.slowStart ? this.limit * 2 : this.limit + 2);
    this.heldBack = false;
    return true;
  }
}
