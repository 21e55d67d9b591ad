/** The activities of the Backfill workflow. All that they know is in the backfill's row: any worker can go on where another one died. */
import type { BackfillActivities } from '@autoflow/topology';
import type { BackfillRow } from '@autoflow/store';
import { atActivityBoundary } from '../errors.js';
import { cancelAll, type CancelPorts } from '../feeding/cancel-open.js';
import { pump, type PumpPorts } from '../feeding/pump.js';
import { heartbeating } from './heartbeating.js';

const WORKFLOW = { actor: 'backfill workflow' } as const;

export function backfillActivities(ports: PumpPorts & CancelPorts): BackfillActivities {
  const { store } = ports;
  const rowOf = async (id: string): Promise<BackfillRow> => {
    const row = await store.backfills.get(id);
    if (row === undefined) throw Object.assign(new Error(`there is no backfill '${id}'`), { code: 'NOT_FOUND' });
    return row;
  };
  return {
    feedBackfill: atActivityBoundary(({ backfillId, budgetMs }) =>
      heartbeating(async (signal) => {
        const finished = await pump(await rowOf(backfillId), budgetMs, ports, signal);
        return { finished, progress: (await rowOf(backfillId)).progress };
      }),
    ),
    closeBackfill: atActivityBoundary(({ backfillId, state, reason = state }) =>
      heartbeating(async (signal) => {
        const row = await rowOf(backfillId);
        // First the row, so that nothing of it is fed any more.
        if (row.endedAt === undefined) await store.backfills.setState(backfillId, state, { ...WORKFLOW, reason });
        // The API cancels the row first: then what is open ends with it, however the workflow came to close it.
        if (state === 'cancelled' || row.state === 'cancelled') await cancelAll(row, ports, signal);
        return (await rowOf(backfillId)).progress;
      }),
    ),
  };
}
