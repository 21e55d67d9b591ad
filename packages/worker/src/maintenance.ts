/** What grows is cut back: measurements by day, batch files by age. */
import type { BatchStore, Store } from '@autoflow/store';
import type { WorkerOptions } from './contract.js';
import type { Log } from './log.js';

export type Retention = NonNullable<WorkerOptions['retention']>;

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Once now, then every hour; any number of processes may do it. Trouble is logged, and the next hour tries again. */
export function startMaintenance(
  ports: { store: Pick<Store, 'metering' | 'ledger'>; batches: BatchStore; log: Log },
  retention: Retention = {},
): { close(): Promise<void> } {
  const { log } = ports;
  let running = Promise.resolve();
  const run = () => {
    running = maintain(ports, retention).catch((error: unknown) =>
      log('warn', 'maintenance failed, the next hour tries again', { error: String(error) }),
    );
  };
  run();
  const timer = setInterval(run, HOUR_MS);
  return {
    close: () => {
      clearInterval(timer);
      return running;
    },
  };
}

/** The files of an open batch stay, however old. */
async function maintain(
  { store, batches, log }: Parameters<typeof startMaintenance>[0],
  { meteringDays = 30, batchDays = 14 }: Retention,
): Promise<void> {
  await store.metering.maintain(meteringDays);
  const open = await store.ledger.openBatches({});
  const removed = await batches.removeOlderThan(new Date(Date.now() - batchDays * DAY_MS), new Set(open.map(({ id }) => id)));
  if (removed > 0) log('info', 'batch files were removed after their retention', { batches: removed });
}
