/** The platform as it runs in production, for benchmarks: real servers, one worker process, versions registered in the store. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildRelease, type Release } from '@autoflow/function-host';
import { removeStack, startStack, type Stack } from '@autoflow/local-stack';
import type { Fields, PipelineSpec, RecordState } from '@autoflow/pipeline';
import { openStore, type Store } from '@autoflow/store';
import { openBatchStore, type BatchStore } from '@autoflow/store/batches';
import {
  asWritten,
  defaultAllocation,
  defaultEnvelope,
  EXECUTION_QUEUE,
  hashVersion,
  stagePlans,
  type Allocation,
  type Envelope,
  type ExecutionArgument,
  type Topology,
} from '@autoflow/topology';
import { Client, Connection } from '@temporalio/client';
import type { WorkerOrder } from './worker-process.js';

const BY = { actor: 'benchmark', reason: 'a benchmark' };
const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

export interface BenchPlatform {
  readonly stack: Stack;
  readonly store: Store;
  readonly batches: BatchStore;
  readonly client: Client;
  readonly spec: PipelineSpec;
  readonly release: Release;
  /** Registers a topology as a version; the as-written one is `v1`. */
  version(topology: Topology, allocation?: Allocation, envelope?: Envelope): Promise<BenchVersion>;
  readonly asWritten: BenchVersion;
  /** New records of the inbox go to it. */
  makeStable(version: BenchVersion): Promise<void>;
  /** Default roles: workflows and functions. */
  startWorker(order?: Partial<WorkerOrder>, roles?: WorkerOrder['options']['roles']): Promise<BenchWorker>;
  /** Commits a batch with its records, as a feeder does; what it answers is the argument of the execution. */
  admit(
    version: BenchVersion,
    records: readonly Fields[],
    as?: { readonly scope?: string; readonly arrivedAt?: readonly Date[] },
  ): Promise<Admitted>;
  /** Starts the execution of an admitted batch, and does not wait for its end. */
  start(admitted: Admitted, how?: ExecutionDoor): Promise<void>;
  /** Starts the execution of an admitted batch and waits for its end. */
  run(admitted: Admitted, how?: ExecutionDoor): Promise<void>;
  stop(): Promise<void>;
}
export interface BenchVersion {
  readonly name: string;
  readonly topology: Topology;
  readonly stages: ExecutionArgument['stages'];
}
export interface BenchWorker {
  readonly pid: number;
  readonly host: string;
  /** Nothing happens to one that has ended by itself. */
  stop(): Promise<void>;
}
/** Default: the pipeline's own workflow. */
export interface ExecutionDoor {
  readonly type?: string;
  readonly taskQueue?: string;
}
export interface Admitted {
  readonly executionId: string;
  readonly argument: ExecutionArgument;
}

export interface BenchPlatformOptions {
  /** Module that exports the pipeline. */
  readonly module: string;
  readonly pipeline: string;
  /** Temporal on a database file, as a durable stack has it; else in memory. */
  readonly onFile: boolean;
  readonly secrets?: (databaseUrl: string) => Promise<Readonly<Record<string, string>>>;
  /** Values of an allocation that replace the default of every stage. */
  readonly concurrency?: number;
}

export async function startBenchPlatform(options: BenchPlatformOptions): Promise<BenchPlatform> {
  // On file: what an earlier run left behind (killed, say) goes first.
  if (options.onFile) await removeStack({ name: 'bench' });
  const stack = await startStack({ name: 'bench', mode: options.onFile ? 'persistent' : 'ephemeral', log: () => {} });
  const store = await openStore({ connectionString: stack.databaseUrl });
  await store.migrate();
  const folder = join(stack.folder, 'bench');
  const releases = join(folder, 'releases');
  await mkdir(releases, { recursive: true });
  const batchStore = { driver: 'file', folder: join(folder, 'batches') } as const;
  const batches = openBatchStore(batchStore);
  const release = await buildRelease(options.module, releases);
  const spec = release.specs.find(({ name }) => name === options.pipeline)!;
  const secrets = (await options.secrets?.(stack.databaseUrl)) ?? {};
  const connection = await Connection.connect(stack.temporal.connection);
  const client = new Client({ connection, namespace: stack.temporal.namespace });
  const workers = new Set<ChildProcess>();
  const interrupted = (): void => void platform.stop().finally(() => process.exit(130));
  let batchNumber = 0;
  let started = 0;

  let stopping: Promise<void> | undefined;
  const stopAll = async (): Promise<void> => {
    for (const signal of SIGNALS) process.off(signal, interrupted);
    for (const child of workers) child.kill('SIGTERM');
    await Promise.all(
      [...workers].filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null).map((child) => once(child, 'exit')),
    );
    await connection.close();
    await store.close();
    await batches.close();
    await stack.stop();
    if (options.onFile) await removeStack({ name: 'bench' });
  };

  const allocationOf = (topology: Topology): Allocation => {
    const allocation = defaultAllocation(spec, topology, defaultEnvelope(spec, topology));
    const { concurrency } = options;
    return concurrency === undefined
      ? allocation
      : Object.fromEntries(Object.entries(allocation).map(([stage, a]) => [stage, { ...a, concurrency }]));
  };
  const register = async (
    topology: Topology,
    allocation: Allocation,
    first: boolean,
    envelope = defaultEnvelope(spec, topology),
  ): Promise<BenchVersion> => {
    const common = { topology, envelope, allocation, by: BY };
    const { version } = first
      ? await store.definitions.registerRelease({ release: { pipeline: spec.name, hash: release.hash, spec }, ...common })
      : await store.definitions.registerVersion({
          pipeline: spec.name,
          release: release.hash,
          hash: hashVersion({ release: release.hash, topology, envelope }),
          ...common,
        });
    return { name: version.name, topology, stages: stagePlans(spec, topology, envelope, allocation) };
  };
  const written = asWritten(spec);
  const first = await register(written, allocationOf(written), true);

  const platform: BenchPlatform = {
    stack,
    store,
    batches,
    client,
    spec,
    release,
    asWritten: first,
    version: (topology, allocation, envelope) => register(topology, allocation ?? allocationOf(topology), false, envelope),
    makeStable: async ({ name }) => void (await store.definitions.setStable({ pipeline: spec.name, version: name, by: BY })),
    startWorker: async (order = {}, roles = ['workflows', 'functions']) => {
      const child = fork(fileURLToPath(new URL('./worker-process.js', import.meta.url)), {
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      });
      workers.add(child);
      const { address, namespace } = stack.temporal;
      const host = `bench-${++started}`;
      const full: WorkerOrder = {
        options: {
          roles,
          temporal: { address, namespace },
          databaseUrl: stack.databaseUrl,
          batchStore,
          releases,
          host,
          logLevel: 'warn',
        },
        secrets,
        handWritten: false,
        ...order,
      };
      child.send(full);
      await Promise.race([once(child, 'message'), earlyEnd(child)]);
      const stop = async (): Promise<void> => {
        workers.delete(child);
        if (child.exitCode !== null || child.signalCode !== null) return;
        child.kill('SIGTERM');
        await once(child, 'exit');
      };
      return { pid: child.pid!, host, stop };
    },
    admit: async (version, records, { scope, arrivedAt: arrivals } = {}) => {
      const pipeline = spec.name;
      const id = `bench-${batchNumber++}`;
      const now = new Date();
      const states = records.map((fields, index): RecordState => ({
        index,
        key: String(fields[spec.key]),
        arrivedAt: (arrivals?.[index] ?? now).toISOString(),
        fields,
      }));
      const ref = await batches.write({ pipeline, batchId: id, label: 'input' }, states);
      const executionId = `${pipeline}/bench/${id}`;
      const memoryMb = Object.fromEntries(Object.entries(version.stages).map(([stage, plan]) => [stage, plan.memoryMb.slice(0, 1)]));
      await store.ledger.open({
        batch: { id, pipeline, version: version.name, release: release.hash, scope: scope ?? id, executionId, ref, memoryMb },
        records: states,
        replace: false,
      });
      const argument = {
        $autoflow: 'execution/1',
        pipeline,
        version: version.name,
        release: release.hash,
        scope: scope ?? id,
        batchId: id,
        batch: ref,
        topology: version.topology,
        stages: version.stages,
      } as const;
      return { executionId, argument };
    },
    start: async ({ executionId, argument }, { type = argument.pipeline, taskQueue = EXECUTION_QUEUE } = {}) => {
      await client.workflow.start(type, { taskQueue, workflowId: executionId, args: [argument] });
    },
    run: async ({ executionId, argument }, { type = argument.pipeline, taskQueue = EXECUTION_QUEUE } = {}) => {
      await client.workflow.execute(type, { taskQueue, workflowId: executionId, args: [argument] });
    },
    // Whoever interrupts it and whoever then ends wait for the same.
    stop: () => (stopping ??= stopAll()),
  };
  for (const signal of SIGNALS) process.once(signal, interrupted);
  return platform;
}

async function earlyEnd(child: ChildProcess): Promise<never> {
  await once(child, 'exit');
  throw new Error('the worker of the benchmark ended before it took work; see what it printed above');
}

/** Runs `work` on every item, `width` at a time; seconds it took. */
export async function saturate<T>(items: readonly T[], width: number, work: (item: T) => Promise<void>): Promise<number> {
  const started = performance.now();
  const queue = items.values();
  await Promise.all(
    Array.from({ length: width }, async () => {
      for (const item of queue) await work(item);
    }),
  );
  return (performance.now() - started) / 1000;
}
