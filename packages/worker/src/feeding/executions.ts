/** The executions of one backfill: started for a batch whose row is committed, watched until the row is closed. */
import { WorkflowExecutionAlreadyStartedError, WorkflowFailedError, WorkflowNotFoundError, type Client } from '@temporalio/client';
import type { BackfillRow, BatchRow } from '@autoflow/store';
import { EXECUTION_QUEUE, type ExecutionArgument } from '@autoflow/topology';
import { searchAttributes } from '@autoflow/workflows';
import { executionArgument } from '../versions.js';
import type { FeedPorts } from './feed.js';

/** At most so many at a time. The first trouble with one of them surfaces in the next call. */
export class OpenExecutions {
  private readonly open = new Map<string, Promise<void>>();
  private readonly starting = new Set<Promise<void>>();
  constructor(
    private readonly backfill: BackfillRow,
    private readonly ports: FeedPorts,
    private readonly signal: AbortSignal,
  ) {}

  start(row: BatchRow, argument: ExecutionArgument): void {
    this.watch(row, () => this.begin(row, argument));
  }

  /** Takes over what a feeder before left open; one that it did not come to start is started. */
  async adopt(): Promise<void> {
    for (const row of await this.ports.store.ledger.openBatches({ backfill: this.backfill.id }))
      this.watch(row, async () => {
        if (await isStarted(row.executionId, this.ports)) return;
        await this.begin(row, await argumentAgain(row, this.ports));
      });
  }

  /** Resolves when one more may be opened. */
  async room(): Promise<void> {
    while (this.open.size >= this.backfill.concurrency) await Promise.race(this.open.values());
  }

  async drained(): Promise<void> {
    await Promise.all(this.open.values());
  }

  /** A start that is under way when feeding ends would escape a cancellation that follows. */
  async started(): Promise<void> {
    await Promise.allSettled(this.starting);
  }

  /** Not when feeding is over: whoever cancels what is open counts on it. */
  private async begin(row: BatchRow, argument: ExecutionArgument): Promise<void> {
    this.signal.throwIfAborted();
    await startExecution(this.backfill, argument, row.executionId, this.ports);
  }

  private watch(row: BatchRow, begin: () => Promise<void>): void {
    const starting = begin();
    this.starting.add(starting);
    const watching = (async () => {
      await starting.finally(() => this.starting.delete(starting));
      await untilClosed(row, this.ports, this.signal);
      this.open.delete(row.id);
    })();
    watching.catch(() => {});
    this.open.set(row.id, watching);
  }
}

/** Cancels the open executions of a backfill and waits until their records have an outcome. */
export async function cancelOpen(backfill: BackfillRow, ports: FeedPorts, signal: AbortSignal): Promise<void> {
  const rows = await ports.store.ledger.openBatches({ backfill: backfill.id });
  await Promise.all(
    rows.map(async (row) => {
      await ignoring([WorkflowNotFoundError], () => ports.client.workflow.getHandle(row.executionId).cancel());
      await untilClosed(row, ports, signal);
    }),
  );
}

/** An execution settles its own records. One that was terminated, timed out or never came to be did not: then they are cancelled. */
async function untilClosed(row: BatchRow, { client, store, settle }: FeedPorts, signal: AbortSignal): Promise<void> {
  const settledItself = await ignoring([WorkflowFailedError, WorkflowNotFoundError], () =>
    abortable(client, signal, () => client.workflow.getHandle(row.executionId).result()),
  );
  if (settledItself || (await store.ledger.batch(row.id))?.state !== 'open') return;
  const { pipeline, version, release, scope, id: batchId, ref: batch } = row;
  await settle({ execution: { pipeline, version, release, scope, batchId, batch }, outputs: [], cancelled: true, collect: false });
}

/** The client never takes its listeners off a signal, and the signal of a feed outlives many executions: each call gets its own. */
async function abortable<T>(client: Client, signal: AbortSignal, call: () => Promise<T>): Promise<T> {
  signal.throwIfAborted();
  const own = new AbortController();
  const abort = () => own.abort(signal.reason);
  signal.addEventListener('abort', abort);
  try {
    return await client.connection.withAbortSignal(own.signal, call);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** Starting it twice is starting it once; one that has ended already is not started again. */
async function startExecution(
  backfill: BackfillRow,
  argument: ExecutionArgument,
  executionId: string,
  { client, indexed }: FeedPorts,
): Promise<void> {
  await ignoring([WorkflowExecutionAlreadyStartedError], () =>
    client.workflow.start(argument.pipeline, {
      taskQueue: EXECUTION_QUEUE,
      workflowId: executionId,
      workflowIdConflictPolicy: 'USE_EXISTING',
      workflowIdReusePolicy: 'REJECT_DUPLICATE',
      args: [argument],
      ...(indexed && {
        typedSearchAttributes: [
          { key: searchAttributes.pipeline, value: argument.pipeline },
          { key: searchAttributes.version, value: argument.version },
          { key: searchAttributes.backfill, value: backfill.id },
        ],
      }),
    }),
  );
}

async function isStarted(executionId: string, { client }: FeedPorts): Promise<boolean> {
  return ignoring([WorkflowNotFoundError], () => client.workflow.getHandle(executionId).describe());
}

/** What the feeder that opened the batch would have started it with: the records admitted to it, the memory of its row. */
async function argumentAgain(row: BatchRow, { versions, store, batches }: FeedPorts): Promise<ExecutionArgument> {
  const { pipeline, scope, id: batchId } = row;
  const resolved = await versions.resolve(pipeline, row.version);
  const records = await batches.read(row.ref);
  const rows = await Promise.all(records.map(({ key }) => store.ledger.record(pipeline, scope, key)));
  const admitted = records.filter((_, at) => rows[at]?.batchId === batchId);
  const ref =
    admitted.length === records.length
      ? row.ref
      : await batches.write(
          { pipeline, batchId, label: 'admitted' },
          admitted.map((record, index) => ({ ...record, index })),
        );
  const argument = executionArgument(resolved, scope, batchId, ref);
  const stages = Object.fromEntries(
    Object.entries(argument.stages).map(([stage, plan]) => {
      const start = row.memoryMb[stage]?.[0] ?? plan.memoryMb[0] ?? 0;
      const larger = (resolved.version.envelope[stage]?.memoryMb ?? []).filter((size) => size > start);
      return [stage, { ...plan, memoryMb: [start, ...larger] }];
    }),
  );
  return { ...argument, stages };
}

/** True when the call succeeded, false when it failed in one of the ways that are to be expected. */
async function ignoring(expected: readonly (abstract new (...args: never[]) => Error)[], call: () => Promise<unknown>): Promise<boolean> {
  try {
    await call();
    return true;
  } catch (error) {
    if (expected.some((kind) => error instanceof kind)) return false;
    throw error;
  }
}
