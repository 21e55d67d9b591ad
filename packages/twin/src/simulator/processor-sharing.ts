import { Heap } from './heap.js';

/**
 * The cores of a host, shared by all that computes. A job with share σ runs at rate σ while the shares together leave cores free, and all
 * slow down alike when they do not. Virtual time passes at that common rate, so a job's end never moves in it: one heap is enough.
 */
export class ProcessorSharing {
  private readonly jobs = new Heap();
  private virtual = 0;
  private shares = 0;
  private now = 0;
  /** Core-milliseconds worked. */
  busyMs = 0;

  constructor(private readonly cores: number) {}

  /** When the next job ends, if nothing else comes; infinite without jobs. */
  get nextEnd(): number {
    return this.jobs.size === 0 ? Number.POSITIVE_INFINITY : this.now + Math.max(0, this.jobs.least - this.virtual) / this.rate;
  }

  advance(now: number): void {
    if (this.shares > 0) {
      const { rate } = this;
      this.virtual += (now - this.now) * rate;
      this.busyMs += (now - this.now) * rate * this.shares;
    }
    this.now = now;
  }

  /** `work` in milliseconds of a whole core. */
  add(work: number, share: number, code: number): void {
    this.jobs.push(this.virtual + work / share, code);
    this.shares += share;
  }

  /** The job that ends now; `share` is what `remove` gives back. */
  next(): number {
    return this.jobs.pop();
  }
  remove(share: number): void {
    // Sums of shares that are no binary fractions do not come back to 0 by themselves.
    this.shares = this.jobs.size === 0 ? 0 : this.shares - share;
  }

  private get rate(): number {
    return this.shares > this.cores ? this.cores / this.shares : 1;
  }
}
