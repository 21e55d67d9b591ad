import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Client, type Connection } from '@temporalio/client';

/** Where every worker takes its executions (the topology package has the same name for it). */
export const EXECUTION_QUEUE = 'autoflow';

const WORKFLOW_TASKS = 1;
const ANSWER_WITHIN_MS = 3_000;

/**
 * The identity of a worker that takes tasks of the execution queue now; undefined when none does. A server lists a
 * worker for minutes after it has ended, so when it lists one, a task is put into the queue to see whether it is taken.
 */
export async function liveWorker(connection: Connection, namespace: string): Promise<string | undefined> {
  const { pollers } = await connection.workflowService.describeTaskQueue({
    namespace,
    taskQueue: { name: EXECUTION_QUEUE },
    taskQueueType: WORKFLOW_TASKS,
  });
  return pollers?.length ? await takerOfTask(new Client({ connection, namespace })) : undefined;
}

/** Who begins the first task of a workflow that nobody knows. A worker of AutoFlow fails it, and it is ended here in any case. */
async function takerOfTask({ workflow }: Client): Promise<string | undefined> {
  const probe = await workflow.start('autoflow-is-anybody-here', {
    taskQueue: EXECUTION_QUEUE,
    workflowId: `autoflow-is-anybody-here-${randomUUID()}`,
    workflowExecutionTimeout: '10s',
  });
  try {
    for (const deadline = Date.now() + ANSWER_WITHIN_MS; Date.now() < deadline; await delay(50)) {
      const { events } = await probe.fetchHistory();
      const taken = events?.find((event) => event.workflowTaskStartedEventAttributes);
      if (taken) return taken.workflowTaskStartedEventAttributes!.identity || 'of unknown identity';
    }
    return undefined;
  } finally {
    await probe.terminate('the question is answered').catch(() => undefined);
  }
}
