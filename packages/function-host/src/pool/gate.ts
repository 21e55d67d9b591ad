/** The gate lets nobody in: what waits, and what comes, is for another host. */
export class GateClosed extends Error {
  override readonly name = 'GateClosed';
}

interface Waiter {
  readonly rank: () => number;
  readonly admit: () => void;
  readonly refuse: (error: Error) => void;
}

/** Enters each in turn; resolves to the function that leaves them all. Who enters several gates enters them in the same order as all others. */
export async function enterAll(gates: readonly Gate[], signal: AbortSignal): Promise<() => void> {
  const entered: (() => void)[] = [];
  const leave = (): void => entered.forEach((leaveOne) => leaveOne());
  try {
    for (const gate of gates) entered.push(await gate.enter(signal));
  } catch (error) {
    leave();
    throw error;
  }
  return leave;
}

const ANY = (): number => 0;

/**
 * How many run at once: the lowest rank first, and among equals first come first served. Raising the limit lets waiters in at once; lowering takes effect as holders leave.
 * At limit 0 nobody waits: who does or would is refused with `GateClosed`.
 */
export class Gate {
  #limit: number;
  #inside = 0;
  readonly #waiting = new Set<Waiter>();

  constructor(
    limit: number,
    /** Asked before each admission; when it says no, waiters wait for the next change of the limit. */
    private readonly isOpen: () => boolean = () => true,
  ) {
    this.#limit = limit;
  }

  get limit(): number {
    return this.#limit;
  }

  get inside(): number {
    return this.#inside;
  }

  /** What runs, or may begin to run at any moment. */
  get held(): number {
    return Math.max(this.#limit, this.#inside);
  }

  setLimit(limit: number): void {
    this.#limit = limit;
    if (limit === 0) for (const { refuse } of this.#waiting) refuse(new GateClosed());
    this.#admit();
  }

  /** Resolves to the function that leaves again; rejects with the signal's reason when it is aborted before. `rank` is asked at each admission. */
  enter(signal: AbortSignal, rank: () => number = ANY): Promise<() => void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason as Error);
      if (this.#limit === 0) return reject(new GateClosed());
      const forget = (): void => {
        this.#waiting.delete(waiter);
        signal.removeEventListener('abort', abort);
      };
      const abort = (): void => waiter.refuse(signal.reason as Error);
      const waiter: Waiter = {
        rank,
        admit: () => {
          forget();
          resolve(this.#leaver());
        },
        refuse: (error) => {
          forget();
          reject(error);
        },
      };
      signal.addEventListener('abort', abort, { once: true });
      this.#waiting.add(waiter);
      this.#admit();
    });
  }

  #admit(): void {
    while (this.#waiting.size > 0 && this.#inside < this.#limit && this.isOpen()) {
      const next = [...this.#waiting].reduce((first, waiter) => (waiter.rank() < first.rank() ? waiter : first));
      this.#inside++;
      next.admit();
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
