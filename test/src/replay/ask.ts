/** A workflow that asks one activity of replay. */
import { proxyActivities } from '@temporalio/workflow';
import { REPLAY_QUEUE, type ShadowActivities, type ShadowReport, type ShadowRequest } from '@autoflow/topology/replay';

const { shadow } = proxyActivities<ShadowActivities>({
  taskQueue: REPLAY_QUEUE,
  startToCloseTimeout: '5m',
  heartbeatTimeout: '15s',
  retry: { maximumAttempts: 1 },
});

export const askShadow = (request: ShadowRequest): Promise<ShadowReport> => shadow(request);
