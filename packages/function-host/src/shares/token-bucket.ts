/** What may be used at once after a pause: at least one, so that something may be used at all. */
const BURST_S = 0.1;

interface Waiter {
  readonly serve: () => void;
}

/**
 * Lets through at most `rate` a second, first come first served: within any window of w seconds at most rate × w, and a burst of one, or of what
 * 100 ms are worth where that is more. It begins empty, and after a change goes on with what it has.
 */
export class TokenBucket {
  #rate = 0;
  #tokens = 0;
  #at: number;
  #timer: NodeJS.Timeout | undefined;
  readonly #waiting = new Set<Waiter>();

  constructor(
    private readonly isOpen: () => boolean = () => true,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.#at = now();
  }

  get rate(): number {
    return this.#rate;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  setRate(rate: number): void {
    this.#fill();
    this.#rate = rate;
    this.#tokens = Math.min(this.#tokens, this.#burst);
    this.#serve();
  }

  /** Resolves when it may be used once; rejects with the signal's reason when it is aborted before. */
  take(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason as Error);
      const forget = (): void => {
        this.#waiting.delete(waiter);
        signal.removeEventListener('abort', abort);
      };
      const abort = (): void => {
        forget();
        reject(signal.reason as Error);
      };
      const waiter: Waiter = {
        serve: () => {
          forget();
          resolve();
        },
      };
      signal.addEventListener('abort', abort, { once: true });
      this.#waiting.add(waiter);
      this.#serve();
    });
  }

  get #burst(): number {
    return Math.max(1, this.#rate * BURST_S);
  }

  #fill(): void {
    const now = this.now();
    this.#tokens = Math.min(this.#burst, this.#tokens + ((now - this.#at) / 1000) * this.#rate);
    this.#at = now;
  }

  #serve(): void {
    clearTimeout(this.#timer);
    this.#fill();
    for (const { serve } of this.#waiting) {
      if (this.#tokens < 1 || !this.isOpen()) return this.#later();
      this.#tokens--;
      serve();
    }
  }

  /** Without a rate, the next change of it serves those who wait. */
  #later(): void {
    if (this.#rate > 0 && this.isOpen())
      this.#timer = setTimeout(() => this.#serve(), Math.ceil(((1 - this.#tokens) / this.#rate) * 1000)).unref();
  }
}
