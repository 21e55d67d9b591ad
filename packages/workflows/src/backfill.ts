/** The workflow of a backfill: feeds until the source is exhausted, can be paused, resumed and cancelled, and lives as long as needed. */
import {
  ActivityCancellationType,
  CancellationScope,
  condition,
  continueAsNew,
  ContinueAsNew,
  defineQuery,
  defineSignal,
  isCancellation,
  proxyActivities,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { BackfillActivities, BackfillProgress } from '@autoflow/topology/execution';
import { atBoundary, terminalOf } from './execution/failures.js';
import { BackfillSignal, PROGRESS_QUERY, type BackfillInput, type BackfillStatus } from './protocol.js';

const FEED_BUDGET_MS = 600_000;
const FEEDS_PER_RUN = 200;

/** Everything about the job is in its row, so that a feed that dies is simply run again, on any worker. */
const { feedBackfill, closeBackfill } = proxyActivities<BackfillActivities>({
  startToCloseTimeout: '1d',
  heartbeatTimeout: '15s',
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  retry: { initialInterval: '1s', maximumInterval: '30s' },
});

const pauseSignal = defineSignal(BackfillSignal.pause);
const resumeSignal = defineSignal(BackfillSignal.resume);
const cancelSignal = defineSignal(BackfillSignal.cancel);
const progressQuery = defineQuery<BackfillStatus>(PROGRESS_QUERY);

/**
 * Resolves with the final progress when every record that was fed has its outcome. Cancelling (signal `cancel`, or Temporal's own)
 * also cancels the executions it started, and waits for them: nothing is left running.
 */
export async function Backfill(input: BackfillInput): Promise<BackfillProgress> {
  const { backfillId, budgetMs = FEED_BUDGET_MS, feedsPerRun = FEEDS_PER_RUN } = input;
  let state: BackfillStatus['state'] = input.paused ? 'paused' : 'running';
  let progress = input.progress;
  let feeding: CancellationScope | undefined;

  const leave = (next: 'paused' | 'cancelling') => {
    if (state === 'cancelling' || state === 'ended') return;
    state = next;
    feeding?.cancel();
  };
  setHandler(pauseSignal, () => leave('paused'));
  setHandler(cancelSignal, () => leave('cancelling'));
  setHandler(resumeSignal, () => {
    if (state === 'paused') state = 'running';
  });
  setHandler(progressQuery, () => ({ state, ...(progress && { progress }) }));

  const close = async (how: 'completed' | 'cancelled' | 'failed', reason?: string): Promise<BackfillProgress> => {
    progress = await CancellationScope.nonCancellable(() =>
      closeBackfill({ backfillId, state: how, ...(reason !== undefined && { reason }) }),
    );
    state = 'ended';
    return progress;
  };

  try {
    for (let feeds = 0; ; feeds++) {
      await condition(() => state !== 'paused');
      if (isState(state, 'cancelling')) return await close('cancelled');
      if (feeds >= feedsPerRun || workflowInfo().continueAsNewSuggested)
        await continueAsNew<typeof Backfill>({ ...input, paused: false, ...(progress && { progress }) });
      feeding = new CancellationScope();
      try {
        const fed = await feeding.run(() => feedBackfill({ backfillId, budgetMs }));
        progress = fed.progress;
        if (fed.finished) return await close('completed');
      } catch (error) {
        // A feed that was paused ends some time after the signal: it may have been resumed meanwhile, and is fed again.
        if (!isCancellation(error) || CancellationScope.current().consideredCancelled) throw error;
      }
    }
  } catch (error) {
    if (error instanceof ContinueAsNew) throw error;
    if (isCancellation(error)) await close('cancelled');
    else if (!isState(state, 'ended')) await close('failed', terminalOf(error).message);
    throw atBoundary(error);
  }
}

/** Signals change the state behind the compiler's back. */
function isState(state: BackfillStatus['state'], is: BackfillStatus['state']): boolean {
  return state === is;
}
