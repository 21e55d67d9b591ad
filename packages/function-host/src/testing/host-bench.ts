/** A function host on a real Temporal server, with a desired state that a test changes, and a workflow that dispatches to its pools. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { Client, Connection, type WorkflowHandle } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import type { Fields, RecordState } from '@autoflow/pipeline';
import type { DesiredPool, InvocationRow, PoolUsageRow } from '@autoflow/store';
import { openBatchStore } from '@autoflow/store/batches';
import { poolQueue, type BatchRef, type StageAnswer, type StageInvocation } from '@autoflow/topology';
import type { FunctionHost, FunctionHostOptions } from '../contract.js';
import { createFunctionHost } from '../host.js';
import { buildRelease } from '../release/build-release.js';
import { fixture, neighbour } from './neighbours.js';
import type { runStage } from './stage-workflow.js';

export type Acknowledged = Parameters<FunctionHostOptions['acknowledge']>[0];

/** The desired state, and what the host acknowledged of it. */
export class Desired {
  pools: readonly DesiredPool[] = [];
  failing: Error | undefined;
  acknowledged: Acknowledged = [];
  #callback: () => void = () => {};
  #waiting: { is: (pools: Acknowledged) => boolean; resolve: () => void }[] = [];

  readonly port: FunctionHostOptions['desired'] = {
    read: async () => {
      if (this.failing !== undefined) throw this.failing;
      return this.pools;
    },
    onChange: async (callback) => {
      if (this.failing !== undefined) throw this.failing;
      this.#callback = callback;
      return async () => void (this.#callback = () => {});
    },
  };

  /** Sets the pools, and waits until the host acknowledges what the test waits for (by default: exactly these). */
  async set(pools: readonly DesiredPool[], until = (now: Acknowledged): boolean => sameQueues(now, pools)): Promise<void> {
    this.pools = pools;
    const reached = this.until(until);
    this.#callback();
    await reached;
  }

  until(is: (pools: Acknowledged) => boolean): Promise<void> {
    return new Promise((resolve) => this.#waiting.push({ is, resolve }));
  }

  acknowledge(pools: Acknowledged): void {
    this.acknowledged = pools;
    this.#waiting = this.#waiting.filter(({ is, resolve }) => !is(pools) || void resolve());
  }
}

export interface HostBench {
  readonly host: FunctionHost;
  readonly desired: Desired;
  readonly rows: InvocationRow[];
  readonly usage: PoolUsageRow[];
  readonly logs: string[];
  pool(change?: Partial<DesiredPool>): DesiredPool;
  batch(records: readonly Fields[]): Promise<BatchRef>;
  read(ref: BatchRef): Promise<RecordState[]>;
  /** Dispatches one invocation to a pool; resolves when its workflow is started. */
  dispatch(
    pool: DesiredPool,
    input: BatchRef,
    change?: Partial<StageInvocation>,
    options?: Parameters<typeof runStage>[2],
  ): Promise<WorkflowHandle<typeof runStage>>;
  run(pool: DesiredPool, input: BatchRef, change?: Partial<StageInvocation>): Promise<StageAnswer>;
  rowsOf(handle: WorkflowHandle): InvocationRow[];
  close(): Promise<void>;
}

export interface HostBenchOptions extends Partial<FunctionHostOptions> {
  readonly temporal: { readonly address: string; readonly namespace: string };
  readonly folder: string;
  readonly module: 'trouble' | 'echo';
}

export async function createHostBench({ temporal, folder, module, ...options }: HostBenchOptions): Promise<HostBench> {
  const { address, namespace } = temporal;
  const releases = join(folder, 'releases');
  const batchStore = { driver: 'file', folder: join(folder, 'batches') } as const;
  const release = await buildRelease(fixture(module), releases);
  const batches = openBatchStore(batchStore);
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  const [connection, native] = await Promise.all([Connection.connect({ address }), NativeConnection.connect({ address })]);
  const client = new Client({ connection, namespace });
  const taskQueue = `stages-${randomUUID()}`;
  const workflows = await Worker.create({ connection: native, namespace, taskQueue, workflowsPath: neighbour('stage-workflow') });
  const running = workflows.run();
  const desired = new Desired();
  const rows: InvocationRow[] = [];
  const usage: PoolUsageRow[] = [];
  const logs: string[] = [];
  const host = createFunctionHost({
    host: 'bench',
    connection: native,
    namespace,
    batchStore,
    releases,
    secret: () => undefined,
    desired: desired.port,
    acknowledge: async (pools) => desired.acknowledge(pools),
    metering: { invocation: (row) => void rows.push(row), poolUsage: (row) => void usage.push(row) },
    cost: ({ billedMs, memoryMb }) => (billedMs * memoryMb) / 1e9,
    log: (level, message, details) => void logs.push(`${level} ${message} ${JSON.stringify(details ?? {})}`),
    ...options,
  });
  await host.start();

  const pool: HostBench['pool'] = (change = {}) => ({
    pipeline: module,
    version: 'v1',
    release: release.hash,
    stage: 'stage',
    memoryMb: 256,
    concurrency: 2,
    resources: [],
    ...change,
  });
  const dispatch: HostBench['dispatch'] = (to, input, change = {}, activityOptions = {}) => {
    const { pipeline, version, release, stage, memoryMb } = to;
    const invocation = {
      pipeline,
      version,
      release,
      scope: 'live',
      batchId: 'batch',
      stage,
      nodes: [],
      inputs: [input],
      dispatch: 0,
      final: false,
      ...change,
    };
    const args: Parameters<typeof runStage> = [poolQueue(pipeline, version, stage, memoryMb), invocation, activityOptions];
    return client.workflow.start<typeof runStage>('runStage', { taskQueue, workflowId: randomUUID(), args });
  };
  return {
    host,
    desired,
    rows,
    usage,
    logs,
    pool,
    dispatch,
    batch: (records) => batches.write({ pipeline: module, batchId: 'batch', label: 'input' }, records.map(stateOf)),
    read: (ref) => batches.read(ref),
    run: async (...dispatched) => (await dispatch(...dispatched)).result(),
    rowsOf: (handle) => rows.filter(({ executionId }) => executionId === handle.workflowId),
    async close() {
      await host.stop();
      workflows.shutdown();
      await running;
      await native.close();
      await connection.close();
    },
  };
}

const sameQueues = (now: Acknowledged, pools: readonly DesiredPool[]): boolean => {
  const names = (list: readonly Pick<DesiredPool, 'pipeline' | 'version' | 'stage' | 'memoryMb' | 'concurrency'>[]): string =>
    list
      .map(({ pipeline, version, stage, memoryMb, concurrency }) => `${poolQueue(pipeline, version, stage, memoryMb)}×${concurrency}`)
      .sort()
      .join();
  return names(now) === names(pools);
};

const stateOf = (fields: Fields, index: number): RecordState => ({
  index,
  key: String(fields['id']),
  arrivedAt: '2026-01-01T00:00:00.000Z',
  fields,
});
