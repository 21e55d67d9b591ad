/** Waits for outcomes: one listener for the whole process, and one look per batch that ends, however many requests wait. */
import type { Log, RecordRow, Store } from '@autoflow/store';

export interface OutcomeRequest {
  readonly pipeline: string;
  readonly scope: string;
  readonly keys: readonly string[];
  readonly withinMs: number;
  readonly signal: AbortSignal;
}

interface Waiter {
  readonly pending: Set<string>;
  readonly found: Map<string, RecordRow>;
  readonly done: () => void;
}
/** All who wait for records of one pipeline and scope. */
interface Watch {
  readonly pipeline: string;
  readonly scope: string;
  readonly waiters: Set<Waiter>;
  looking: boolean;
  /** Something may have happened since the look that is under way began. */
  again: boolean;
}

export class Outcomes {
  private readonly watches = new Map<string, Watch>();
  private listening: Promise<() => Promise<void>> | undefined;

  constructor(
    private readonly store: Pick<Store, 'ledger' | 'listen'>,
    private readonly log: Log,
  ) {}

  /** Records that have their outcome by now: all of them, or those that have one when the time is over or nobody waits any more. */
  async wait({ pipeline, scope, keys, withinMs, signal }: OutcomeRequest): Promise<ReadonlyMap<string, RecordRow>> {
    await this.listen();
    const found = new Map<string, RecordRow>();
    await new Promise<void>((resolve) => {
      const waiter: Waiter = { pending: new Set(keys), found, done: () => end() };
      const watch = this.join(pipeline, scope, waiter);
      const timer = setTimeout(() => end(), withinMs);
      const end = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', end);
        this.leave(watch, waiter);
        resolve();
      };
      signal.addEventListener('abort', end);
      if (signal.aborted || keys.length === 0) end();
      else this.look(watch);
    });
    return found;
  }

  async close(): Promise<void> {
    for (const { waiters } of this.watches.values()) for (const { done } of waiters) done();
    await (
      await this.listening?.catch(() => undefined)
    )?.();
  }

  private listen(): Promise<unknown> {
    if (this.listening === undefined) {
      this.listening = this.store.listen('autoflow_outcomes', (pipeline) => {
        for (const watch of this.watches.values()) if (pipeline === undefined || watch.pipeline === pipeline) this.look(watch);
      });
      this.listening.catch(() => (this.listening = undefined));
    }
    return this.listening;
  }

  private join(pipeline: string, scope: string, waiter: Waiter): Watch {
    const name = `${pipeline}/${scope}`;
    const watch = this.watches.get(name) ?? { pipeline, scope, waiters: new Set(), looking: false, again: false };
    this.watches.set(name, watch);
    watch.waiters.add(waiter);
    return watch;
  }

  private leave(watch: Watch, waiter: Waiter): void {
    watch.waiters.delete(waiter);
    if (watch.waiters.size === 0) this.watches.delete(`${watch.pipeline}/${watch.scope}`);
  }

  /** One look at a time; what happens meanwhile is seen by the next. */
  private look(watch: Watch): void {
    watch.again = true;
    if (watch.looking) return;
    watch.looking = true;
    void (async () => {
      try {
        while (watch.again && watch.waiters.size > 0) {
          watch.again = false;
          await this.lookOnce(watch);
        }
      } catch (error) {
        // Who waits is told by the next notification, or when the listener is connected anew, or when the time is over.
        this.log('warn', 'outcomes could not be read', { pipeline: watch.pipeline, error: (error as Error).message });
      } finally {
        watch.looking = false;
      }
    })();
  }

  private async lookOnce({ pipeline, scope, waiters }: Watch): Promise<void> {
    const wanted = new Set<string>();
    for (const { pending } of waiters) for (const key of pending) wanted.add(key);
    const rows = await this.store.ledger.ended(pipeline, scope, [...wanted]);
    for (const waiter of [...waiters]) {
      for (const row of rows) if (waiter.pending.delete(row.key)) waiter.found.set(row.key, row);
      if (waiter.pending.size === 0) waiter.done();
    }
  }
}
