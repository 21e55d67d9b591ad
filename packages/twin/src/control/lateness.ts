import type { WaitLedger } from '../simulator/simulator-options.js';

/**
 * Which records went past the service level, and which stages made them wait: every late record is shared out once, by the shares of the
 * stages in its waiting so far; one that never waited (its service alone was too long) by equal parts.
 */
export class Lateness implements WaitLedger {
  /** By record and stage: waited for so long, or, while it waits, `-1 - since`. */
  private readonly waits: Float64Array;
  private judged = 0;

  constructor(
    private readonly arrivals: Float64Array,
    private readonly latencyMs: () => Float64Array,
    private readonly stages: number,
    private readonly sloMs: number,
  ) {
    this.waits = new Float64Array(arrivals.length * stages);
  }

  queued(record: number, stage: number, now: number): void {
    this.waits[record * this.stages + stage] = -1 - now;
  }
  begun(record: number, stage: number, now: number): void {
    const at = record * this.stages + stage;
    const since = this.waits[at]!;
    if (since < 0) this.waits[at] = now + 1 + since;
  }

  /** Adds the blame for those who became late up to now to `blame`, by stage; answers how many became late. */
  judge(now: number, blame: Float64Array): number {
    const latency = this.latencyMs();
    let late = 0;
    for (; this.judged < this.arrivals.length && this.arrivals[this.judged]! + this.sloMs <= now; this.judged++) {
      if (latency[this.judged]! <= this.sloMs) continue;
      late++;
      this.share(this.judged, now, blame);
    }
    return late;
  }

  private share(record: number, now: number, blame: Float64Array): void {
    const from = record * this.stages;
    let total = 0;
    for (let s = 0; s < this.stages; s++) total += waited(this.waits[from + s]!, now);
    for (let s = 0; s < this.stages; s++) blame[s]! += total > 0 ? waited(this.waits[from + s]!, now) / total : 1 / this.stages;
  }
}

const waited = (wait: number, now: number): number => (wait < 0 ? now + 1 + wait : wait);
