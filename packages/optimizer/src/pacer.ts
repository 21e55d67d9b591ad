/** Lets others run every few milliseconds, and says when it is time to stop. */
export class Pacer {
  private readonly begun = Date.now();
  private last = this.begun;

  constructor(
    private readonly signal?: AbortSignal,
    private readonly ms = Number.POSITIVE_INFINITY,
  ) {}

  get usedMs(): number {
    return Date.now() - this.begun;
  }

  get over(): boolean {
    return this.usedMs >= this.ms;
  }

  /** Rejects with the signal's reason once it is aborted. */
  async breathe(): Promise<void> {
    this.signal?.throwIfAborted();
    if (Date.now() - this.last < SLICE_MS) return;
    await new Promise<void>((resume) => setImmediate(resume));
    this.last = Date.now();
    this.signal?.throwIfAborted();
  }
}

const SLICE_MS = 20;
