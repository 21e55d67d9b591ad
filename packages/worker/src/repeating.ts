import type { Log } from './log.js';

export interface Repeating {
  /** Does it at once; asked while it does, once more behind that. */
  now(): void;
  close(): Promise<void>;
}

/** Does `work` now, and again each interval, never twice at a time. Trouble is logged, and the next time tries again. */
export function repeating(what: string, everyMs: number, work: () => Promise<void>, log: Log): Repeating {
  let running: Promise<void> | undefined;
  let again = false;
  const run = () => {
    running ??= work()
      .catch((error: unknown) => log('warn', `${what} failed and is tried again`, { error: String(error), afterMs: everyMs }))
      .finally(() => {
        running = undefined;
        const once = again;
        again = false;
        if (once) run();
      });
  };
  run();
  const timer = setInterval(run, everyMs);
  return {
    now() {
      again = running !== undefined;
      run();
    },
    close: async () => {
      clearInterval(timer);
      again = false;
      await running;
    },
  };
}

/** Does `work` for one item after the other. Where it fails, `failed` hears of it, and the others go on. */
export async function eachByItself<Item>(
  items: readonly Item[],
  work: (item: Item) => Promise<void>,
  failed: (item: Item, error: string) => void,
): Promise<void> {
  for (const item of items) await work(item).catch((error: unknown) => failed(item, String(error)));
}
