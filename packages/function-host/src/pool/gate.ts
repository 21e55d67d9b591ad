/** How many run at once, first come first served. Raising the limit lets waiters in at once; lowering takes effect as holders leave. */
export class Gate {
  #inside = 0;
  readonly #waiting = new Set<() => void>();

  constructor(private limit: number) {}

  get inside(): number {
    return this.#inside;
  }

  setLimit(limit: number): void {
    this.limit = limit;
    this.#admit();
  }

  /** Resolves to the function that leaves again; rejects with the signal's reason when it is aborted before. */
  enter(signal: AbortSignal): Promise<() => void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason as Error);
      const abort = (): void => {
        this.#waiting.delete(admit);
        reject(signal.reason as Error);
      };
      const admit = (): void => {
        signal.removeEventListener('abort', abort);
        resolve(this.#leaver());
      };
      signal.addEventListener('abort', abort, { once: true });
      this.#waiting.add(admit);
      this.#admit();
    });
  }

  #admit(): void {
    for (const admit of this.#waiting) {
      if (this.#inside >= this.limit) return;
      this.#waiting.delete(admit);
      this.#inside++;
      admit();
    }
  }

  #leaver(): () => void {
    let left = false;
    return () => {
      if (left) return;
      left = true;
      this.#inside--;
      this.#admit();
    };
  }
}
