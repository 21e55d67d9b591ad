import type { LimitedUse } from '../shares/fleet-shares.js';

/** Asks the host before resources that allow only so many uses a second are used. At most one question is open: handlers run one after the other. */
export class Permits {
  #call = 0;
  #signal = new AbortController().signal;
  #send: (uses: readonly LimitedUse[]) => void = () => {};
  #granted: (() => void) | undefined;

  /** Of this invocation; what is granted to an earlier one is not for it. */
  begin(call: number, signal: AbortSignal, send: (uses: readonly LimitedUse[]) => void): void {
    this.#call = call;
    this.#signal = signal;
    this.#send = send;
    this.#granted = undefined;
  }

  /** Resolves when the host grants it; rejects with the reason when the invocation is cancelled. */
  ask(uses: readonly LimitedUse[]): Promise<void> {
    const signal = this.#signal;
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason as Error);
      const abort = (): void => {
        this.#granted = undefined;
        reject(signal.reason as Error);
      };
      this.#granted = () => {
        signal.removeEventListener('abort', abort);
        resolve();
      };
      signal.addEventListener('abort', abort, { once: true });
      this.#send(uses);
    });
  }

  granted(call: number): void {
    if (call !== this.#call) return;
    this.#granted?.();
    this.#granted = undefined;
  }
}
