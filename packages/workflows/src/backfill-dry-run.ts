/** The workflow of a dry run: reads the source where a backfill would, and starts nothing. */
import { ActivityCancellationType, proxyActivities } from '@temporalio/workflow';
import type { SourceCount, SourceCountActivities, SourceCountRequest } from '@autoflow/topology/execution';
import { atBoundary } from './execution/failures.js';

const { countSource } = proxyActivities<SourceCountActivities>({
  startToCloseTimeout: '10m',
  scheduleToCloseTimeout: '15m',
  heartbeatTimeout: '15s',
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  retry: { initialInterval: '1s', maximumInterval: '10s', maximumAttempts: 3 },
});

export async function BackfillDryRun(request: SourceCountRequest): Promise<SourceCount> {
  try {
    return await countSource(request);
  } catch (error) {
    throw atBoundary(error);
  }
}
