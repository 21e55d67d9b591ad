/**
 * The other side of the interpreter's benchmark: what an engineer would write by hand for the same pipeline,
 * one step after the other, on the same pools, with the same batches by reference and the same settlement.
 */
import {
  type ExecutionActivities,
  type ExecutionArgument,
  poolQueue,
  type BatchRef,
  type StageAnswer,
  type StageInvocation,
} from '@autoflow/topology/execution';
import { proxyActivities, proxyLocalActivities } from '@temporalio/workflow';

type Step = (invocation: StageInvocation) => Promise<StageAnswer>;
const { settle } = proxyLocalActivities<ExecutionActivities>({ scheduleToCloseTimeout: '2s' });

export async function handWritten(order: ExecutionArgument): Promise<{ completed: number }> {
  const { pipeline, version, release, scope, batchId } = order;
  let batch: BatchRef = order.batch;
  for (const { name, nodes } of order.topology.stages) {
    const step = proxyActivities<Record<string, Step>>({
      taskQueue: poolQueue(pipeline, version, name, order.stages[name]!.memoryMb[0]!),
      startToCloseTimeout: '1 minute',
      heartbeatTimeout: '5s',
    })[name]!;
    const answer = await step({
      pipeline,
      version,
      release,
      scope,
      batchId,
      stage: name,
      nodes,
      inputs: [batch],
      dispatch: 1,
      final: true,
    });
    batch = answer.output;
  }
  const { counts } = await settle({
    execution: { pipeline, version, release, scope, batchId, batch: order.batch },
    outputs: [batch],
    cancelled: false,
    collect: false,
  });
  return { completed: counts.completed };
}
