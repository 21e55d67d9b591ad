/** What grows is cut back: measurements by day, batch files and events by age, recordings by age and amount, and what decisions were made from. */
import type { BatchStore, Store } from '@autoflow/store';
import type { WorkerOptions } from './contract.js';
import type { Log } from './log.js';
import { repeating } from './repeating.js';
import { closeDays } from './savings/close-days.js';

export type Retention = NonNullable<WorkerOptions['retention']>;

const HOUR_MS = 3_600_000;
/** Of a pipeline's inputs, and of a function's calls. */
const RECORDINGS = { rows: 2_000, bytes: 32 * 1024 * 1024 } as const;
/** Evaluations of rollouts and documents of optimizations: rows that say how it ended stay. */
const EVIDENCE_DAYS = 90;
const DAY_MS = 24 * HOUR_MS;

/** Once now, then every hour; any number of processes may do it. */
export function startMaintenance(
  ports: {
    store: Pick<
      Store,
      'metering' | 'ledger' | 'events' | 'recordings' | 'rollouts' | 'optimizations' | 'definitions' | 'access' | 'comparisons' | 'savings'
    >;
    batches: BatchStore;
    log: Log;
  },
  retention: Retention = {},
): { close(): Promise<void> } {
  return repeating('maintenance', HOUR_MS, () => maintain(ports, retention), ports.log);
}

/** The files of an open batch stay, however old. */
async function maintain(
  { store, batches, log }: Parameters<typeof startMaintenance>[0],
  { meteringDays = 30, batchDays = 14, eventDays = 30, recordingDays = 7 }: Retention,
): Promise<void> {
  // First: of a day that the ledger does not have nothing is dropped, but for one that has failed for as long again.
  const failed = await closeDays(store, log);
  await store.metering.maintain(failed.length === 0 ? meteringDays : 2 * meteringDays);
  await store.events.removeOlderThan(new Date(Date.now() - eventDays * DAY_MS));
  await store.recordings.maintain({ days: recordingDays, ...RECORDINGS });
  const evidence = new Date(Date.now() - EVIDENCE_DAYS * DAY_MS);
  await store.rollouts.removeEvaluations(evidence);
  await store.optimizations.removeDocuments(evidence);
  const open = await store.ledger.openBatches({});
  const removed = await batches.removeOlderThan(new Date(Date.now() - batchDays * DAY_MS), new Set(open.map(({ id }) => id)));
  if (removed > 0) log('info', 'batch files were removed after their retention', { batches: removed });
}
