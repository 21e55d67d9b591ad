/** The workflow of a calibration: on whichever host is free to replay. */
import { ActivityCancellationType, proxyActivities } from '@temporalio/workflow';
import { REPLAY_QUEUE, type CalibrationActivities, type CalibrationReport, type CalibrationRequest } from '@autoflow/topology/replay';
import { atBoundary } from './execution/failures.js';

const { calibrate } = proxyActivities<CalibrationActivities>({
  taskQueue: REPLAY_QUEUE,
  startToCloseTimeout: '1h',
  scheduleToCloseTimeout: '3h',
  heartbeatTimeout: '15s',
  cancellationType: ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
  retry: { initialInterval: '1s', maximumInterval: '30s', maximumAttempts: 5 },
});

export async function Calibration(request: CalibrationRequest): Promise<CalibrationReport> {
  try {
    return await calibrate(request);
  } catch (error) {
    throw atBoundary(error);
  }
}
