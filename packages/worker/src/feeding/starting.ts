/** Starts the execution of a batch whose row is committed: twice is once, and one that has ended is not started again. */
import { WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError, type Client } from '@temporalio/client';
import type { BatchRow } from '@autoflow/store';
import { continuing } from '@autoflow/telemetry';
import { EXECUTION_QUEUE, type ExecutionArgument } from '@autoflow/topology';
import { searchAttributes } from '@autoflow/workflows';
import { executionArgument, type Versions } from '../versions.js';

export interface StartPorts {
  readonly client: Client;
  readonly versions: Versions;
  /** Whether the server knows our search attributes. */
  readonly indexed: boolean;
}

/** Gone before the server forgets who had the id: until then it refuses a start that comes too late. */
const START_WITHIN_MS = 60_000;

/** `traces`: of the requests that brought its records. */
export function startExecution(
  row: BatchRow,
  argument: ExecutionArgument,
  ports: StartPorts,
  traces: readonly string[] = [],
): Promise<void> {
  const attributes = { 'autoflow.pipeline': row.pipeline, 'autoflow.version': row.version, 'autoflow.batch': row.id };
  return continuing(`feed ${row.pipeline}`, traces, attributes, () => start(row, argument, ports));
}

async function start(row: BatchRow, argument: ExecutionArgument, { client, indexed }: StartPorts): Promise<void> {
  const { backfillId } = row;
  const begin = () =>
    client.workflow.start(argument.pipeline, {
      taskQueue: EXECUTION_QUEUE,
      workflowId: row.executionId,
      workflowIdConflictPolicy: 'USE_EXISTING',
      workflowIdReusePolicy: 'REJECT_DUPLICATE',
      args: [argument],
      ...(indexed && {
        typedSearchAttributes: [
          { key: searchAttributes.pipeline, value: argument.pipeline },
          { key: searchAttributes.version, value: argument.version },
          ...(backfillId === undefined ? [] : [{ key: searchAttributes.backfill, value: backfillId }]),
        ],
      }),
    });
  try {
    await client.withDeadline(Date.now() + START_WITHIN_MS, begin);
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
}

/** What the feeder that opened the batch would have started it with: the memory is that of its row, whatever the allocation is by now. */
export async function argumentOf(row: BatchRow, { versions }: Pick<StartPorts, 'versions'>): Promise<ExecutionArgument> {
  const resolved = await versions.resolve(row.pipeline, row.version);
  const argument = executionArgument(resolved, row.scope, row.id, row.ref);
  const stages = Object.fromEntries(
    Object.entries(argument.stages).map(([stage, plan]) => {
      const start = row.memoryMb[stage]?.[0] ?? plan.memoryMb[0] ?? 0;
      const larger = (resolved.version.envelope[stage]?.memoryMb ?? []).filter((size) => size > start);
      return [stage, { ...plan, memoryMb: [start, ...larger] }];
    }),
  );
  return { ...argument, stages };
}

/** Of its latest run. */
export async function statusOf(executionId: string, client: Client): Promise<string> {
  try {
    const { status, type } = await client.workflow.getHandle(executionId).describe();
    return type === FORESTALLED_TYPE ? FORESTALLED : status.name;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return NEVER_STARTED;
    throw error;
  }
}
/** It is carried out, or will be when somebody lets it go on. */
export function isUnderWay(status: string): boolean {
  return status === 'RUNNING' || status === 'PAUSED';
}
export const NEVER_STARTED = 'never started';
/** Its id is taken, so that it cannot be started any more. */
export const FORESTALLED = 'forestalled';
export const FORESTALLED_TYPE = 'Forestalled';
