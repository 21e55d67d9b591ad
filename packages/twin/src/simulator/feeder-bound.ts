import { LOAD_WINDOW_MS, OpenBound } from '@autoflow/topology';

/** How many executions may be open at once. */
export interface ExecutionBound {
  readonly limit: number;
  /** Instances of the stage that has the most. */
  keepBusy(instances: number): void;
  /** It was what kept a batch from being opened. */
  reached(): void;
  /** One has closed after so long (ms). */
  close(openMs: number, now: number): void;
}

export const fixedBound = (limit: number): ExecutionBound => ({
  limit,
  keepBusy: () => undefined,
  reached: () => undefined,
  close: () => undefined,
});

/** As many as a feeder lets, by its own rule, shown what a feeder is shown: the executions closed within the last `LOAD_WINDOW_MS`. */
export class FeederBound implements ExecutionBound {
  private readonly bound = new OpenBound();
  /** Times of the closes, and how long each was open; those before `first` are out of the window. */
  private closedAt: number[] = [];
  private open: number[] = [];
  private first = 0;
  private openMs = 0;

  get limit(): number {
    return this.bound.limit;
  }

  keepBusy(instances: number): void {
    this.bound.keepBusy(instances);
  }

  reached(): void {
    this.bound.reached();
  }

  close(openMs: number, now: number): void {
    this.closedAt.push(now);
    this.open.push(openMs);
    this.openMs += openMs;
    for (; this.closedAt[this.first]! < now - LOAD_WINDOW_MS; this.first++) this.openMs -= this.open[this.first]!;
    const closed = this.closedAt.length - this.first;
    this.bound.observe({ closed, meanOpenMs: this.openMs / closed }, now);
    if (this.first > FORGET) this.forget();
  }

  private forget(): void {
    this.closedAt = this.closedAt.slice(this.first);
    this.open = this.open.slice(this.first);
    this.first = 0;
  }
}
const FORGET = 1_024;
