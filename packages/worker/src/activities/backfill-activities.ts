/** The activities of the Backfill workflow. All that they know is in the backfill's row: any worker can go on where another one died. */
import { setMaxListeners } from 'node:events';
import { Context } from '@temporalio/activity';
import type { BackfillActivities } from '@autoflow/topology';
import type { BackfillRow } from '@autoflow/store';
import { atActivityBoundary } from '../errors.js';
import { cancelOpen } from '../feeding/executions.js';
import { feed, type FeedPorts } from '../feeding/feed.js';

const HEARTBEAT_MS = 2_000;
const WORKFLOW = { actor: 'backfill workflow' } as const;

export function backfillActivities(ports: FeedPorts): BackfillActivities {
  const { store } = ports;
  const rowOf = async (id: string): Promise<BackfillRow> => {
    const row = await store.backfills.get(id);
    if (row === undefined) throw Object.assign(new Error(`there is no backfill '${id}'`), { code: 'NOT_FOUND' });
    return row;
  };
  return {
    feedBackfill: atActivityBoundary(({ backfillId, budgetMs }) =>
      heartbeating(async (signal) => {
        const finished = await feed(await rowOf(backfillId), budgetMs, ports, signal);
        return { finished, progress: (await rowOf(backfillId)).progress };
      }),
    ),
    closeBackfill: atActivityBoundary(({ backfillId, state, reason = state }) =>
      heartbeating(async (signal) => {
        const row = await rowOf(backfillId);
        // First the row, so that no feeder opens another batch meanwhile.
        if (row.endedAt === undefined) await store.backfills.setState(backfillId, state, { ...WORKFLOW, reason });
        // The API cancels the row first: then what is open ends with it, however the workflow came to close it.
        if (state === 'cancelled' || row.state === 'cancelled') await cancelOpen(row, ports, signal);
        return (await rowOf(backfillId)).progress;
      }),
    ),
  };
}

async function heartbeating<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const context = Context.current();
  // One listener per open execution, which are bounded.
  setMaxListeners(0, context.cancellationSignal);
  const beat = setInterval(() => context.heartbeat(), HEARTBEAT_MS);
  try {
    return await work(context.cancellationSignal);
  } catch (error) {
    context.cancellationSignal.throwIfAborted();
    throw error;
  } finally {
    clearInterval(beat);
  }
}
