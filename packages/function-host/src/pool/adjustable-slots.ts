import type { ActivitySlotInfo, CustomSlotSupplier, SlotPermit, SlotReserveContext } from '@temporalio/worker';

/**
 * Lets a Worker fetch at most so many tasks, by a limit that can be changed while it runs. It limits fetching only:
 * a poll holds a permit before it has a task, so a lowered limit says nothing about how many run. The gate does.
 */
export class AdjustableSlots implements CustomSlotSupplier<ActivitySlotInfo> {
  readonly type = 'custom';
  #permits = 0;
  readonly #waiting = new Set<() => void>();
  #drained: ((drained: boolean) => void)[] = [];

  constructor(private limit: number) {}

  get permits(): number {
    return this.#permits;
  }

  setLimit(limit: number): void {
    this.limit = limit;
    this.#grant();
    if (limit > 0) this.#tell(false);
  }

  /** Resolves to true when no permit is out (no poll is open and no task runs) at limit 0; to false when the limit is raised before. */
  async drained(): Promise<boolean> {
    if (this.limit > 0 || this.#permits === 0) return this.limit === 0;
    return new Promise((resolve) => this.#drained.push(resolve));
  }

  reserveSlot(_context: SlotReserveContext, signal: AbortSignal): Promise<SlotPermit> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason as Error);
      const abort = (): void => {
        this.#waiting.delete(grant);
        reject(signal.reason as Error);
      };
      const grant = (): void => {
        signal.removeEventListener('abort', abort);
        resolve({});
      };
      signal.addEventListener('abort', abort, { once: true });
      this.#waiting.add(grant);
      this.#grant();
    });
  }

  tryReserveSlot(): SlotPermit | null {
    if (this.#permits >= this.limit) return null;
    this.#permits++;
    return {};
  }

  markSlotUsed(): void {}

  releaseSlot(): void {
    this.#permits--;
    this.#grant();
    if (this.#permits === 0) this.#tell(true);
  }

  #tell(drained: boolean): void {
    for (const resolve of this.#drained.splice(0)) resolve(drained);
  }

  #grant(): void {
    for (const grant of this.#waiting) {
      if (this.#permits >= this.limit) return;
      this.#waiting.delete(grant);
      this.#permits++;
      grant();
    }
  }
}
