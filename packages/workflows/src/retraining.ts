/** The workflow of a retraining: the scorer of topologies, trained further on a pipeline's own history. */
import { ActivityCancellationType, proxyActivities } from '@temporalio/workflow';
import type { RetrainingActivities, RetrainingReport, RetrainingRequest } from '@autoflow/topology/retraining';
import { atBoundary } from './execution/failures.js';

/** It computes in a process of its own, and beats meanwhile. */
const { retrainScorer } = proxyActivities<RetrainingActivities>({
  startToCloseTimeout: '30m',
  heartbeatTimeout: '15s',
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  retry: { initialInterval: '1s', maximumInterval: '30s', maximumAttempts: 5 },
});

export async function Retraining(request: RetrainingRequest): Promise<RetrainingReport> {
  try {
    return await retrainScorer(request);
  } catch (error) {
    throw atBoundary(error);
  }
}
