/** The workflow of a training: learners side by side on whatever hosts have the role, until the budget is used up or nothing gets better. */
import {
  ActivityCancellationType,
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  isCancellation,
  proxyActivities,
  TimeoutFailure,
} from '@temporalio/workflow';
import {
  LEARNER_QUEUE,
  type LearnerActivities,
  type TrainingActivities,
  type TrainingInput,
  type TrainingResult,
} from '@autoflow/topology/training';
import { atBoundary } from './execution/failures.js';

export const NO_LEARNER = 'NO_LEARNER';
/** Longer than it takes to replace a worker. */
const TAKEN_WITHIN_MS = 120_000;

const { endTraining } = proxyActivities<TrainingActivities>({
  startToCloseTimeout: '1m',
  retry: { initialInterval: '1s', maximumInterval: '30s' },
});

/** Resolves with what was learned; cancelled, it keeps what it has. Fails with `NO_LEARNER` where no worker has the role. */
export async function Training(input: TrainingInput): Promise<TrainingResult> {
  const { training, learners, takenWithinMs = TAKEN_WITHIN_MS } = input;
  const { learn } = learnersTakenWithin(takenWithinMs);
  const close = (outcome: TrainingResult['outcome']): Promise<TrainingResult> =>
    CancellationScope.nonCancellable(() => endTraining({ training, outcome }));
  try {
    await Promise.all(Array.from({ length: learners }, (_, learner) => learn({ ...input, learner })));
    // One that was stopped early has ended as such already: the end that is written first stays.
    return await close('completed');
  } catch (error) {
    await close(isCancellation(error) ? 'cancelled' : 'failed');
    throw isUntaken(error) ? noLearner(takenWithinMs) : atBoundary(error);
  }
}

/** A learner that is lost is missed within seconds and goes on elsewhere, from its checkpoint. */
function learnersTakenWithin(takenWithinMs: number): LearnerActivities {
  return proxyActivities<LearnerActivities>({
    taskQueue: LEARNER_QUEUE,
    scheduleToStartTimeout: takenWithinMs,
    startToCloseTimeout: '1d',
    heartbeatTimeout: '15s',
    cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    retry: { initialInterval: '1s', maximumInterval: '30s', maximumAttempts: 20 },
  });
}

const isUntaken = (error: unknown): boolean =>
  error instanceof ActivityFailure && error.cause instanceof TimeoutFailure && error.cause.timeoutType === 'SCHEDULE_TO_START';

function noLearner(ms: number): ApplicationFailure {
  const message = `no worker took a learner on within ${ms / 1000} s; start one with: autoflow worker --role learner`;
  return ApplicationFailure.nonRetryable(message, NO_LEARNER);
}
