import type { Log } from './log.js';

/** Does `work` now, and again each interval, never twice at a time. Trouble is logged, and the next time tries again. */
export function repeating(what: string, everyMs: number, work: () => Promise<void>, log: Log): { close(): Promise<void> } {
  let running: Promise<void> | undefined;
  const run = () => {
    running ??= work()
      .catch((error: unknown) => log('warn', `${what} failed and is tried again`, { error: String(error), afterMs: everyMs }))
      .finally(() => (running = undefined));
  };
  run();
  const timer = setInterval(run, everyMs);
  return {
    close: async () => {
      clearInterval(timer);
      await running;
    },
  };
}
