import type { Budget } from './problem.js';

/** Milliseconds that the process has computed. */
export type CpuClock = () => number;

/** Lets others run every few milliseconds, and says when it is time to stop. */
export class Pacer {
  private readonly begun = Date.now();
  private readonly begunCpu: number;
  private last = this.begun;

  /** `cpu` is needed for a budget of computing. */
  constructor(
    private readonly signal?: AbortSignal,
    private readonly budget: Pick<Budget, 'ms' | 'cpuMs'> = { ms: Number.POSITIVE_INFINITY },
    private readonly cpu: CpuClock = () => 0,
  ) {
    this.begunCpu = cpu();
  }

  get usedMs(): number {
    return Date.now() - this.begun;
  }

  /** Of the time or of the computing, whichever there is less left of. */
  get usedShare(): number {
    return Math.max(this.usedMs / this.budget.ms, this.computedShare);
  }

  get over(): boolean {
    return this.usedMs >= this.budget.ms || this.hasComputedAll;
  }

  get hasComputedAll(): boolean {
    return this.computedShare >= 1;
  }

  /** Rejects with the signal's reason once it is aborted. */
  async breathe(): Promise<void> {
    this.signal?.throwIfAborted();
    if (Date.now() - this.last < SLICE_MS) return;
    await new Promise<void>((resume) => setImmediate(resume));
    this.last = Date.now();
    this.signal?.throwIfAborted();
  }

  private get computedShare(): number {
    const { cpuMs } = this.budget;
    if (cpuMs === undefined) return 0;
    return cpuMs <= 0 ? 1 : (this.cpu() - this.begunCpu) / cpuMs;
  }
}

const SLICE_MS = 20;
