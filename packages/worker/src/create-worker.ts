/** One process of AutoFlow, in any of its roles: the only place where workflows, function host, stores and activities meet. */
import { availableParallelism } from 'node:os';
import { Client, Connection } from '@temporalio/client';
import type { DataConverter } from '@temporalio/common';
import { NativeConnection, Worker, type WorkerOptions as WorkerSettings } from '@temporalio/worker';
import { createFunctionHost, createReplay, type FunctionHost } from '@autoflow/function-host';
import {
  createMeteringWriter,
  createRecordingWriter,
  openStore,
  type BatchRow,
  type HostIdentity,
  type MeteringWriter,
  type RecordingWriter,
  type Store,
} from '@autoflow/store';
import { openBatchStore } from '@autoflow/store/batches';
import { clientInterceptors, workerInterceptors, workflowSinks } from '@autoflow/telemetry/temporal';
import { ALLOCATION_QUEUE, CONTROL_QUEUE, EXECUTION_QUEUE, LEARNER_QUEUE, REPLAY_QUEUE } from '@autoflow/topology';
import { invocationCost, PUBLISHED_PRICES } from '@autoflow/twin';
import { workflowBundle } from '@autoflow/workflows/bundle';
import { dataConverterOf } from '@autoflow/workflows/codec';
import { backfillActivities } from './activities/backfill-activities.js';
import { calibrationActivities } from './activities/calibration-activities.js';
import { controlActivities } from './activities/control-activities.js';
import { executionActivities } from './activities/execution-activities.js';
import { shadowActivities } from './activities/shadow-activities.js';
import { optimizationActivities } from './activities/optimization-activities.js';
import { retrainingActivities } from './activities/retraining-activities.js';
import { rolloutActivities } from './activities/rollout-activities.js';
import { sourceCountActivities } from './activities/source-count-activities.js';
import { learnerActivities, trainingActivities } from './activities/training-activities.js';
import { startSettlingAbandoned } from './abandoned-batches.js';
import { startBackfillRecovery } from './backfill-recovery.js';
import { Closing } from './closing.js';
import type { RunningWorker, WorkerOptions } from './contract.js';
import { controllerThread } from './control/controller.js';
import { startAllocationControl } from './control/start-control.js';
import { startFeeder } from './feeding/feeder.js';
import { joinFleet, type Membership } from './fleet/membership.js';
import { VERSION } from './fleet/version.js';
import { adoptRuntime, createLog, type Log } from './log.js';
import { workerMetrics, type WorkerMetrics } from './metrics.js';
import { traceFunctions } from './trace-functions.js';
import { startMaintenance } from './maintenance.js';
import { isOptimizationRunning } from '@autoflow/workflows/runs';
import { startSchedules } from './optimizing/schedules.js';
import { registerSearchAttributes } from './search-attributes.js';
import { startExpiry } from './rollout/expiry.js';
import { startRolloutRecovery } from './rollout/recovery.js';
import { rolloutStarter } from './rollout/start.js';
import { versionsOf } from './versions.js';
import { startWebhooks } from './webhooks/deliver.js';

/** What a stopping Worker leaves to the activities under way: to settle ends by itself; a feed is told at once, and goes on elsewhere. */
const GRACE = { workflows: '30s', control: 0 } as const;
/** Batches too large for a local activity are settled by normal ones, so many at a time: each holds its batch in memory, several times over. */
const LARGE_SETTLEMENTS = 4;

/**
 * Resolves when every role takes work. What it needs of outside (Temporal, Postgres) must be there; the schema of the database is
 * brought up to date. `stop` drains: no invocation and no workflow task is dropped.
 */
export async function createWorker(options: WorkerOptions): Promise<RunningWorker> {
  const log = createLog(options);
  const metrics = workerMetrics(adoptRuntime(log, options));
  const closing = new Closing();
  try {
    const parts = await start(options, metrics, log, closing);
    const ends = parts.map((part) => part.done);
    const stopped = Promise.all(ends).then(() => {});
    const stop = once(async () => {
      for (const part of parts) part.stop();
      // Also those that still drain while another has failed: what they measure is written before the store closes.
      await Promise.allSettled(ends);
      await closing.close();
      await stopped;
    });
    // A part that fails for good takes the others with it.
    const done = stopped.catch(async (error: unknown) => {
      await stop().catch(() => {});
      throw error;
    });
    done.catch(() => {});
    return { done, stop };
  } catch (error) {
    await closing.close().catch((trouble: unknown) => log('warn', 'closing after a failed start failed too', { error: String(trouble) }));
    throw error;
  }
}

interface Running {
  readonly done: Promise<void>;
  stop(): void;
}

async function start(options: WorkerOptions, metrics: WorkerMetrics, log: Log, closing: Closing): Promise<Running[]> {
  const { roles, temporal } = options;
  const store = closing.add(await openStore({ connectionString: options.databaseUrl, log }));
  await store.migrate();
  const native = closing.add(await NativeConnection.connect(addressOf(temporal)));
  const fleet = closing.add(await joinFleet({ host: options.host, roles, version: VERSION }, { store, log }));
  const running: Running[] = [];
  if (roles.includes('functions'))
    running.push(
      await startFunctions(options, native, store, fleet, metrics, log, closing),
      await startReplaying(options, native, store, log, closing),
    );
  if (roles.includes('workflows') || roles.includes('control'))
    running.push(...(await startWorkflows(options, native, store, log, closing)));
  if (roles.includes('feeder')) running.push(await startFeeding(options, store, fleet, metrics, log, closing));
  if (roles.includes('learner')) running.push(await startLearning(options, native, store, closing));
  log('info', 'worker started', { roles, host: options.host, address: temporal.address, namespace: temporal.namespace });
  return running;
}

/** Executions and control workflows each have their queue and Worker: no stall of the one can block the other. */
async function startWorkflows(
  options: WorkerOptions,
  native: NativeConnection,
  store: Store,
  log: Log,
  closing: Closing,
): Promise<Running[]> {
  const { roles, temporal } = options;
  const { namespace } = temporal;
  const connection = closing.add(await Connection.connect(addressOf(temporal)));
  const indexed = await registerSearchAttributes(connection, namespace);
  if (!indexed) log('warn', 'the server lacks the search attributes of AutoFlow and does not let us add them; executions go without');
  const batches = closing.add(openBatchStore(options.batchStore));
  const versions = versionsOf(store);
  const execution = executionActivities({ store, batches, versions, indexed, recordings: recordingWriter(options, store, log, closing) });
  const { tracing } = options;
  const client = new Client({ connection, namespace, ...encryption(options), ...clientInterceptors(tracing) });
  const common = {
    connection: native,
    namespace,
    ...encryption(options),
    ...workerInterceptors(tracing),
    ...workflowSinks(tracing),
    workflowBundle: await workflowBundle({ traced: tracing !== undefined }),
  };
  const workers: Worker[] = [];
  const add = async (settings: WorkerSettings): Promise<void> => {
    const worker = await Worker.create(settings);
    workers.push(worker);
    // One that never came to run holds on to its connection until it has run.
    closing.add({ close: async () => (worker.getState() === 'INITIALIZED' ? worker.runUntil(async () => {}) : undefined) });
  };
  if (roles.includes('workflows'))
    await add({
      ...common,
      taskQueue: EXECUTION_QUEUE,
      activities: execution,
      maxConcurrentActivityTaskExecutions: LARGE_SETTLEMENTS,
      shutdownGraceTime: GRACE.workflows,
      identity: `${options.host}/workflows`,
    });
  if (roles.includes('control')) {
    const { secret, sources: folders } = options;
    const access = { secret, ...(folders !== undefined && { folders }) };
    closing.add(startMaintenance({ store, batches, log }, options.retention));
    closing.add(startBackfillRecovery({ store, client, log }));
    closing.add(startRolloutRecovery({ store, client, log }));
    closing.add(startExpiry({ store, client, log, optimizes: options.optimizer !== undefined }));
    closing.add(startWebhooks({ store, log }, options.webhooks));
    if (options.optimizer) closing.add(await startSchedules({ store, client, log }));
    closing.add(startSettlingAbandoned({ store, client, settle: execution.settle, log }));
    await add({
      ...common,
      taskQueue: CONTROL_QUEUE,
      // A feed learns of a pause or a cancellation with its next heartbeat that is sent.
      maxHeartbeatThrottleInterval: '2s',
      activities: {
        ...backfillActivities({ store, versions, client, settle: execution.settle, access }),
        ...(options.optimizer &&
          optimizationActivities({
            store,
            isRunning: (optimization) => isOptimizationRunning(client, optimization),
            rollouts: rolloutStarter({ store, client }),
            ...options.optimizer,
            cores: availableParallelism(),
          })),
        ...(options.optimizer && retrainingActivities({ store, program: options.optimizer.program, cores: availableParallelism() })),
        ...trainingActivities({ store }),
        ...rolloutActivities({ store }),
        ...sourceCountActivities({ store, versions, access }),
      },
      shutdownGraceTime: GRACE.control,
      identity: `${options.host}/control`,
    });
    if (options.controller !== undefined) {
      const controller = closing.add(controllerThread(options.controller));
      await add({
        ...common,
        taskQueue: ALLOCATION_QUEUE,
        activities: controlActivities({ store, controller, log }),
        shutdownGraceTime: GRACE.workflows,
        identity: `${options.host}/allocation`,
      });
      closing.add(startAllocationControl({ store, client, log }));
    }
  }
  return workers.map((worker) => ({ done: worker.run(), stop: () => shutdown(worker) }));
}

/** Learners are processes of their own; a learner whose worker stops goes on elsewhere from its checkpoint. */
async function startLearning(options: WorkerOptions, native: NativeConnection, store: Store, closing: Closing): Promise<Running> {
  if (options.learner === undefined) throw new Error("the role 'learner' needs the program of a learner; give `learner.program`");
  const worker = await Worker.create({
    connection: native,
    namespace: options.temporal.namespace,
    ...encryption(options),
    taskQueue: LEARNER_QUEUE,
    maxHeartbeatThrottleInterval: '2s',
    activities: learnerActivities({ store, ...options.learner }),
    shutdownGraceTime: GRACE.control,
    identity: `${options.host}/learner`,
  });
  closing.add({ close: async () => (worker.getState() === 'INITIALIZED' ? worker.runUntil(async () => {}) : undefined) });
  return { done: worker.run(), stop: () => shutdown(worker) };
}

/** Drains when it is told to stop: what it has claimed it starts. */
async function startFeeding(
  options: WorkerOptions,
  store: Store,
  fleet: Membership,
  metrics: WorkerMetrics,
  log: Log,
  closing: Closing,
): Promise<Running> {
  const { namespace } = options.temporal;
  const connection = closing.add(await Connection.connect(addressOf(options.temporal)));
  const indexed = await registerSearchAttributes(connection, namespace);
  const batches = closing.add(openBatchStore(options.batchStore));
  const versions = versionsOf(store);
  const recordings = recordingWriter(options, store, log, closing);
  const { settle } = executionActivities({ store, batches, versions, indexed, recordings });
  const client = new Client({ connection, namespace, ...encryption(options), ...clientInterceptors(options.tracing) });
  const opened = (batch: BatchRow) => metrics.opened(batch);
  const bounded = (bounds: NonNullable<HostIdentity['bounds']>) => fleet.tell({ bounds });
  const feeder = await startFeeder(
    { store, recordings, batches, versions, client, indexed, settle, opened, bounded, log },
    options.probeShare === undefined ? {} : { probeShare: options.probeShare },
  );
  const drain = once(() => feeder.close());
  closing.add({ close: drain });
  let end = () => {};
  const ended = new Promise<void>((resolve) => (end = resolve));
  return { done: ended.then(drain), stop: end };
}

async function startFunctions(
  options: WorkerOptions,
  connection: NativeConnection,
  store: Store,
  fleet: Membership,
  metrics: WorkerMetrics,
  log: Log,
  closing: Closing,
): Promise<Running> {
  const isServed = ({ pipeline }: { readonly pipeline: string }) => options.pipelines?.includes(pipeline) ?? true;
  const metering = options.metering === false ? NO_METERING : closing.add(createMeteringWriter({ store: store.metering, log }));
  const recordings = recordingWriter(options, store, log, closing);
  const host: FunctionHost = createFunctionHost({
    host: options.host,
    connection,
    namespace: options.temporal.namespace,
    batchStore: options.batchStore,
    releases: options.releases,
    releaseSource: (hash) => store.bundles.get(hash),
    secret: options.secret,
    desired: {
      read: async () => (await store.hosts.desiredPools()).filter(isServed),
      onChange: (callback) => store.listen('autoflow_pools', callback),
    },
    shares: fleet,
    acknowledge: (pools) => {
      metrics.pools(pools);
      return store.hosts.acknowledge(options.host, pools);
    },
    metering: metrics.counted(options.tracing === undefined ? metering : traceFunctions(metering)),
    recordings,
    cost: (invocation) => invocationCost(invocation, PUBLISHED_PRICES),
    ...(options.idleMs !== undefined && { idleMs: options.idleMs }),
    ...(options.loadWithinMs !== undefined && { loadWithinMs: options.loadWithinMs }),
    ...encryption(options),
    ...workerInterceptors(options.tracing),
    log,
  });
  fleet.tell({ enforcement: host.enforcement.kind });
  const stopHost = once(() => host.stop());
  closing.add({ close: stopHost });
  await host.start();
  log('info', 'function host started', { ...host.enforcement });
  let end = () => {};
  const ended = new Promise<void>((resolve) => (end = resolve));
  return { done: ended.then(stopHost), stop: end };
}

/** One at a time on a host: it runs beside live work, in an instance of its own. */
async function startReplaying(
  options: WorkerOptions,
  native: NativeConnection,
  store: Store,
  log: Log,
  closing: Closing,
): Promise<Running> {
  const replay = createReplay({ releases: options.releases, releaseSource: (hash) => store.bundles.get(hash), log });
  closing.add({ close: async () => replay.close() });
  const ports = { store, versions: versionsOf(store), replay, host: options.host };
  const worker = await Worker.create({
    connection: native,
    namespace: options.temporal.namespace,
    ...encryption(options),
    taskQueue: REPLAY_QUEUE,
    maxConcurrentActivityTaskExecutions: 1,
    maxHeartbeatThrottleInterval: '2s',
    activities: { ...shadowActivities(ports), ...calibrationActivities(ports) },
    shutdownGraceTime: GRACE.control,
    identity: `${options.host}/replay`,
  });
  closing.add({ close: async () => (worker.getState() === 'INITIALIZED' ? worker.runUntil(async () => {}) : undefined) });
  return { done: worker.run(), stop: () => shutdown(worker) };
}

function recordingWriter({ recordShare }: WorkerOptions, { recordings }: Store, log: Log, closing: Closing): RecordingWriter {
  return closing.add(createRecordingWriter({ store: recordings, ...(recordShare !== undefined && { share: recordShare }), log }));
}

const NO_METERING: Pick<MeteringWriter, 'invocation' | 'poolUsage'> = { invocation: () => {}, poolUsage: () => {} };

function encryption({ payloadKeys }: WorkerOptions): { dataConverter?: DataConverter } {
  const dataConverter = dataConverterOf(payloadKeys);
  return dataConverter === undefined ? {} : { dataConverter };
}

function addressOf({ address, apiKey, tls }: WorkerOptions['temporal']) {
  return { address, ...(apiKey !== undefined && { apiKey }), ...(tls !== undefined && { tls: tls as boolean }) };
}

function shutdown(worker: Worker): void {
  if (worker.getState() === 'RUNNING') worker.shutdown();
}

function once(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  return () => (running ??= work());
}
