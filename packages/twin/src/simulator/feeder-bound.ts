import { OpenBound } from '@autoflow/topology';

/** How many executions may be open at once. */
export interface ExecutionBound {
  readonly limit: number;
  /** It was what kept a batch from being opened. */
  reached(): void;
  /** One has closed after so long (ms). */
  close(openMs: number, now: number): void;
}

export const fixedBound = (limit: number): ExecutionBound => ({ limit, reached: () => undefined, close: () => undefined });

/** As many as a feeder lets, by its own rule, fed with what closes. */
export class FeederBound implements ExecutionBound {
  private readonly bound = new OpenBound();
  private closed = 0;
  private openMs = 0;

  get limit(): number {
    return this.bound.limit;
  }

  reached(): void {
    this.bound.reached();
  }

  close(openMs: number, now: number): void {
    this.closed++;
    this.openMs += openMs;
    if (!this.bound.observe({ closed: this.closed, meanOpenMs: this.openMs / this.closed }, now)) return;
    this.closed = 0;
    this.openMs = 0;
  }
}
