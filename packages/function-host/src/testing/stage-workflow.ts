/** The least of an interpreter: one stage, dispatched once. */
import { proxyActivities, type ActivityOptions } from '@temporalio/workflow';
import type { StageAnswer, StageInvocation } from '@autoflow/topology/execution';

export async function runStage(
  taskQueue: string,
  invocation: StageInvocation,
  options: Pick<ActivityOptions, 'heartbeatTimeout' | 'retry'> = {},
): Promise<StageAnswer> {
  const activities = proxyActivities<{ [stage: string]: (invocation: StageInvocation) => Promise<StageAnswer> }>({
    taskQueue,
    startToCloseTimeout: '10 minutes',
    heartbeatTimeout: '5 seconds',
    ...options,
  });
  return activities[invocation.stage]!(invocation);
}
