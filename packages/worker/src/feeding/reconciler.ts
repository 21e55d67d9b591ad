/** Batches that nobody will settle: started if they never were, taken back if their execution was ended from outside. */
import { WorkflowNotFoundError } from '@temporalio/client';
import { BatchCorruptError, BatchMissingError } from '@autoflow/store/batches';
import type { BatchRow, BatchStore } from '@autoflow/store';
import type { SettleRequest } from '@autoflow/topology';
import type { FeederPorts } from './feeder.js';
import { forestall } from './forestall.js';
import { recordsOf, type InputState } from './input.js';
import { argumentOf, FORESTALLED, isUnderWay, NEVER_STARTED, startExecution, statusOf } from './starting.js';

const AT_ONCE = 100;
const CONCURRENT = 8;

/** One look at the open batches that nobody has looked at for `ageMs`; of several reconcilers each gets others. */
export async function reconcile(ports: FeederPorts, ageMs: number): Promise<void> {
  const rows = await ports.store.feeder.unattended(ageMs, AT_ONCE);
  const next = rows.values();
  const work = async () => {
    for (const row of next)
      await reconcileBatch(row, ports).catch((error: unknown) =>
        // The others must not wait for one that cannot be helped.
        ports.log('warn', 'an open batch could not be looked after; it is tried again', { batch: row.id, error: String(error) }),
      );
  };
  await Promise.all(Array.from({ length: CONCURRENT }, work));
}

async function reconcileBatch(row: BatchRow, ports: FeederPorts): Promise<void> {
  const status = await statusOf(row.executionId, ports.client);
  const cancelled = row.backfillId !== undefined && (await ports.store.backfills.get(row.backfillId))?.state === 'cancelled';
  if (isUnderWay(status)) return row.aborted ? takeBackRunning(row, ports) : undefined;
  switch (status) {
    case NEVER_STARTED:
    case FORESTALLED:
      if (!cancelled && !row.aborted && status === NEVER_STARTED) {
        ports.log('warn', 'a batch had no execution; it is started', { batch: row.id, executionId: row.executionId });
        return startExecution(row, await argumentOf(row, ports), ports);
      }
      // Whoever opened it may be about to start it, and may just have done so.
      if (!(await forestall(row, ports.client))) return reconcileBatch(row, ports);
      return cancelled ? settle(row, { cancelled: true }, ports) : takeBack(row, 'aborted before it was started', false, ports);
    case 'TERMINATED':
    case 'TIMED_OUT':
      return cancelled ? settle(row, { cancelled: true }, ports) : takeBack(row, `its execution is ${status}`, true, ports);
    case 'CANCELLED':
      return settle(row, { cancelled: true }, ports);
    default:
      return settle(
        row,
        {
          cancelled: false,
          failure: { in: 'settle', code: 'EXECUTION_FAILED', message: `the execution is ${status} and left no outcome for the record` },
        },
        ports,
      );
  }
}

/** Of a rollback that does not wait: the execution is ended at once, and what it carries goes to the version of now. */
async function takeBackRunning(row: BatchRow, ports: FeederPorts): Promise<void> {
  try {
    await ports.client.workflow.getHandle(row.executionId).terminate('taken back by a rollback');
  } catch (error) {
    // It has just ended by itself, and may have settled.
    if (!(error instanceof WorkflowNotFoundError)) throw error;
  }
  if ((await statusOf(row.executionId, ports.client)) === 'TERMINATED') await takeBack(row, 'aborted', true, ports);
}

/** Into the inbox again; but what a plain write may have written is never run again by itself. */
async function takeBack(row: BatchRow, why: string, started: boolean, { store, batches, versions, log }: FeederPorts): Promise<void> {
  const { plans } = await versions.resolve(row.pipeline, row.version);
  const writes = Object.values(plans).some(({ effect }) => effect === 'write');
  const inputs = recordsOf(await readIfThere(batches, row));
  const refuse = {
    code: 'NOT_RERUN',
    message: `${why}; a stage of it writes and is never run again by itself, the record may have been written`,
  };
  const result = await store.feeder.dissolve({ batchId: row.id, inputs, ...(started && writes && { refuse }) });
  log('warn', 'a batch was taken back', { pipeline: row.pipeline, batch: row.id, why, ...result });
}

async function settle(
  row: BatchRow,
  how: Pick<SettleRequest, 'cancelled' | 'failure'>,
  { store, settle, log }: FeederPorts,
): Promise<void> {
  // The execution may have settled them just before it ended.
  if ((await store.ledger.batch(row.id))?.state !== 'open') return;
  const { pipeline, version, release, scope, id: batchId, ref: batch } = row;
  const { counts } = await settle({
    execution: { pipeline, version, release, scope, batchId, batch },
    outputs: [],
    collect: false,
    ...how,
  });
  log('warn', 'a batch was left open by its execution and is settled', { pipeline, batch: batchId, counts });
}

async function readIfThere(batches: BatchStore, { ref }: BatchRow): Promise<readonly InputState[]> {
  try {
    return await batches.read(ref);
  } catch (error) {
    if (error instanceof BatchMissingError || error instanceof BatchCorruptError) return [];
    throw error;
  }
}
