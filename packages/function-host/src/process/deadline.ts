/** One moment by which something must have happened; setting it again replaces it. */
export class Deadline {
  #timer: NodeJS.Timeout | undefined;

  /**
   * Calls `late` after so many milliseconds without another `set` or `clear`. Word that has arrived but was not read yet counts:
   * after a stall of this process, timers run before messages are read.
   */
  set(ms: number, late: () => void): void {
    this.clear();
    const timer = setTimeout(() => setImmediate(() => this.#timer === timer && late()), ms);
    this.#timer = timer;
  }

  clear(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
