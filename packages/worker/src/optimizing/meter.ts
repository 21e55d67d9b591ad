import type { OptimizationProgress } from '@autoflow/store';
import { usdOf } from './budget.js';

export type Spent = NonNullable<OptimizationProgress['spent']>;

/**
 * What a step has used by now in the processes that it asks, attempts before this one included. A process that has not answered yet, or never does, is
 * charged as if it kept a core busy; one that has, for what it has computed.
 */
export class Meter {
  private cpuMs = 0;
  private ms = 0;
  private begun: number | undefined;

  constructor(private readonly before: Spent = { usd: 0, seconds: 0 }) {}

  /** One process at a time. */
  begin(): void {
    this.begun = performance.now();
  }

  /** `cpuMs`: as it says itself; absent: it did not come to that. */
  end(cpuMs?: number): void {
    const ms = this.underWayMs;
    this.begun = undefined;
    this.ms += ms;
    this.cpuMs += cpuMs ?? ms;
  }

  get spent(): Spent {
    const { before, underWayMs } = this;
    return { usd: before.usd + usdOf(this.cpuMs + underWayMs), seconds: before.seconds + (this.ms + underWayMs) / 1000 };
  }

  private get underWayMs(): number {
    return this.begun === undefined ? 0 : performance.now() - this.begun;
  }
}
