/** The worker of a benchmark, a process of its own as in production; on request with the hand-written workflow beside the interpreter. */
import { fileURLToPath } from 'node:url';
import { openStore } from '@autoflow/store';
import { openBatchStore } from '@autoflow/store/batches';
import { createWorker, executionActivities, versionsOf, type WorkerOptions } from '@autoflow/worker';
import { bundleWorkflowCode, DefaultLogger, NativeConnection, Worker } from '@temporalio/worker';

export interface WorkerOrder extends Partial<
  Pick<WorkerOptions, 'metering' | 'idleMs' | 'controller' | 'optimizer' | 'learner' | 'recordShare' | 'probeShare'>
> {
  readonly options: Omit<WorkerOptions, 'secret'>;
  readonly secrets: Readonly<Record<string, string>>;
  /** Serve `handWritten` on the queue of that name too. */
  readonly handWritten: boolean;
}
export const HAND_WRITTEN_QUEUE = 'hand-written';

process.once('message', (order: WorkerOrder) => {
  void serve(order);
});

// Of a benchmark that was killed: it would take work of the next one, whose servers listen where those of this one did.
process.once('disconnect', () => process.exit(1));

async function serve({ options, secrets, handWritten, ...chosen }: WorkerOrder): Promise<void> {
  const worker = await createWorker({ ...options, ...chosen, secret: (name) => secrets[name] });
  const beside = handWritten ? await startHandWritten(options) : undefined;
  process.once('SIGTERM', () => {
    void Promise.all([worker.stop(), beside?.stop()]).then(() => process.exit(0));
  });
  process.send?.('ready');
}

/** With the same settlement, in the same process: the two differ in the workflow alone. */
async function startHandWritten({ temporal, databaseUrl, batchStore }: WorkerOrder['options']): Promise<{ stop(): Promise<void> }> {
  const store = await openStore({ connectionString: databaseUrl });
  const connection = await NativeConnection.connect({ address: temporal.address });
  const workflowBundle = await bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL('./hand-written.js', import.meta.url)),
    logger: new DefaultLogger('WARN'),
  });
  const activities = executionActivities({ store, batches: openBatchStore(batchStore), versions: versionsOf(store), indexed: false });
  const worker = await Worker.create({
    connection,
    namespace: temporal.namespace,
    taskQueue: HAND_WRITTEN_QUEUE,
    workflowBundle,
    activities,
  });
  const running = worker.run();
  return {
    stop: async () => {
      worker.shutdown();
      await running;
      await connection.close();
      await store.close();
    },
  };
}
