/** The workflow of a training: learners side by side on whatever hosts have the role, until the budget is used up or nothing gets better. */
import { ActivityCancellationType, CancellationScope, isCancellation, proxyActivities } from '@temporalio/workflow';
import { LEARNER_QUEUE, type TrainingActivities, type TrainingInput, type TrainingResult } from '@autoflow/topology/training';
import { atBoundary } from './execution/failures.js';

/** A learner that is lost is missed within seconds and goes on elsewhere, from its checkpoint. */
const { learn } = proxyActivities<Pick<TrainingActivities, 'learn'>>({
  taskQueue: LEARNER_QUEUE,
  startToCloseTimeout: '1d',
  heartbeatTimeout: '15s',
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  retry: { initialInterval: '1s', maximumInterval: '30s', maximumAttempts: 20 },
});
const { endTraining } = proxyActivities<Pick<TrainingActivities, 'endTraining'>>({
  taskQueue: LEARNER_QUEUE,
  startToCloseTimeout: '1m',
  retry: { initialInterval: '1s', maximumInterval: '30s' },
});

/** Resolves with what was learned; cancelled, it keeps what it has. */
export async function Training(input: TrainingInput): Promise<TrainingResult> {
  const close = (outcome: TrainingResult['outcome']): Promise<TrainingResult> =>
    CancellationScope.nonCancellable(() => endTraining({ training: input.training, outcome }));
  try {
    const ends = await Promise.all(Array.from({ length: input.learners }, (_, learner) => learn({ ...input, learner })));
    return await close(ends.includes('no-progress') ? 'stopped-early' : 'completed');
  } catch (error) {
    await close(isCancellation(error) ? 'cancelled' : 'failed');
    throw atBoundary(error);
  }
}
