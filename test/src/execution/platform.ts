/** The platform in one process, on the real servers of a test file, with the pipelines of `acts.ts`. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  ApplicationFailure,
  Client,
  Connection,
  WorkflowFailedError,
  type WorkflowHandleWithFirstExecutionRunId,
} from '@temporalio/client';
import pg from 'pg';
import { buildRelease } from '@autoflow/function-host';
import type { PipelineSpec } from '@autoflow/pipeline';
import { openStore, type BatchStoreSettings, type SourceSettings, type Store } from '@autoflow/store';
import {
  asWritten,
  CONTROL_QUEUE,
  defaultAllocation,
  defaultEnvelope,
  hashVersion,
  validateTopology,
  type Allocation,
  type BackfillProgress,
  type Envelope,
  type Stage,
  type Topology,
} from '@autoflow/topology';
import { BACKFILL_WORKFLOW, backfillWorkflowId, type BackfillInput } from '@autoflow/workflows';
import { createWorker, type Role, type RunningWorker, type WorkerOptions } from '@autoflow/worker';

export const BY = { actor: 'test', reason: 'a test' };
/** Source or built, as this file is. */
const ACTS = fileURLToPath(new URL(import.meta.url.endsWith('.ts') ? 'acts.ts' : 'acts.js', import.meta.url));

/** A database, a namespace and a folder to have for oneself. */
export interface Servers {
  readonly databaseUrl: string;
  readonly temporal: { readonly address: string; readonly namespace: string };
  readonly folder: string;
}

export interface Platform {
  readonly store: Store;
  readonly client: Client;
  readonly spec: PipelineSpec;
  readonly sql: pg.Pool;
  readonly options: WorkerOptions;
  /** Registers a topology of `acts` and answers the version's name. */
  registerVersion(topology: Topology, allocation?: Allocation, envelope?: Envelope): Promise<string>;
  startWorker(roles?: readonly Role[], other?: Partial<WorkerOptions>): Promise<RunningWorker>;
  stop(): Promise<void>;
}

export async function startPlatform(stack: Servers, { batchStore }: { batchStore?: BatchStoreSettings } = {}): Promise<Platform> {
  const sql = new pg.Pool({ connectionString: stack.databaseUrl, max: 3 });
  sql.on('error', () => undefined);
  await sql.query(`
    create table attempts (n serial, id text, key text);
    create table sink (key text primary key, id text, weight int, performed text, stored int default 1);
    create table released (yes boolean)`);
  const store = await openStore({ connectionString: stack.databaseUrl });
  await store.migrate();
  const releases = join(stack.folder, 'releases');
  const release = await buildRelease(ACTS, releases);
  const spec = release.specs.find(({ name }) => name === 'acts')!;
  for (const each of release.specs) {
    const topology = asWritten(each);
    const envelope = defaultEnvelope(each, topology);
    const allocation = defaultAllocation(each, topology, envelope);
    await store.definitions.registerRelease({
      release: { pipeline: each.name, hash: release.hash, spec: each },
      topology,
      envelope,
      allocation,
      by: BY,
    });
  }
  const connection = await Connection.connect({ address: stack.temporal.address });
  const options: WorkerOptions = {
    roles: ['workflows', 'control', 'functions', 'feeder'],
    temporal: stack.temporal,
    databaseUrl: stack.databaseUrl,
    batchStore: batchStore ?? { driver: 'file', folder: join(stack.folder, 'batches') },
    releases,
    secret: (name) => (name === 'TEST_DATABASE_URL' ? stack.databaseUrl : undefined),
    host: 'test-host',
    logLevel: 'error',
    // The batches of a test are as it says, whatever chance would have.
    probeShare: 0,
  };
  const workers: RunningWorker[] = [];
  return {
    store,
    client: new Client({ connection, namespace: stack.temporal.namespace }),
    spec,
    sql,
    options,
    registerVersion: async (
      wanted,
      allocation = defaultAllocation(spec, wanted, defaultEnvelope(spec, wanted)),
      envelope = defaultEnvelope(spec, wanted),
    ) => {
      const problems = validateTopology(spec, wanted);
      if (problems.length > 0) throw new Error(JSON.stringify(problems));
      const hash = hashVersion({ release: release.hash, topology: wanted, envelope });
      return (
        await store.definitions.registerVersion({
          pipeline: spec.name,
          hash,
          release: release.hash,
          topology: wanted,
          envelope,
          allocation,
          by: BY,
        })
      ).version.name;
    },
    startWorker: async (roles = options.roles, other = {}) => {
      const worker = await createWorker({ ...options, ...other, roles, host: `test-host-${workers.length}` });
      workers.push(worker);
      return worker;
    },
    stop: async () => {
      await Promise.all(workers.map((worker) => worker.stop()));
      await connection.close();
      await store.close();
      await sql.end();
    },
  };
}

export interface Feeding {
  /** Default: acts. */
  readonly pipeline?: string;
  /** Also the scope. */
  readonly id: string;
  readonly version?: string;
  readonly concurrency?: number;
  readonly batchRecords?: number;
  readonly limit?: number;
  readonly source: SourceSettings;
  readonly workflow?: Partial<BackfillInput>;
}

/** Starts a backfill as the control plane does. */
export async function startBackfill(
  { store, client }: Platform,
  { id, workflow, ...row }: Feeding,
): Promise<WorkflowHandleWithFirstExecutionRunId<(input: BackfillInput) => Promise<BackfillProgress>>> {
  await store.backfills.create({ id, pipeline: 'acts', scope: id, concurrency: 4, ...row }, BY);
  return client.workflow.start<(input: BackfillInput) => Promise<BackfillProgress>>(BACKFILL_WORKFLOW, {
    taskQueue: CONTROL_QUEUE,
    workflowId: backfillWorkflowId(id),
    args: [{ backfillId: id, ...workflow }],
  });
}

export async function backfill(platform: Platform, feeding: Feeding): Promise<BackfillProgress> {
  return (await startBackfill(platform, feeding)).result();
}

/** A JSONL file of records. */
export async function jsonl(folder: string, name: string, records: readonly object[]): Promise<SourceSettings> {
  const path = join(folder, `${name}.jsonl`);
  await writeFile(path, records.map((record) => `${JSON.stringify(record)}\n`).join(''));
  return { kind: 'jsonl', path };
}

/** How a workflow failed. */
export async function failureOf(work: Promise<unknown>): Promise<ApplicationFailure> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof WorkflowFailedError) || !(error.cause instanceof ApplicationFailure))
    throw new Error('expected a workflow failure', { cause: error });
  return error.cause;
}

/** Something in another process has happened: its row is there. */
export async function untilRow({ sql }: Platform, query: string): Promise<void> {
  while ((await sql.query(query)).rowCount === 0) await sql.query('select pg_sleep(0.02)');
}

/** `name: after` of each stage, its nodes joined by `+` in the name. */
export function topologyOf(
  stages: { readonly [name: string]: readonly string[] },
  options: { batch?: Topology['batch']; partitions?: number } = {},
): Topology {
  return {
    stages: Object.entries(stages).map(([name, after]): Stage => ({
      name,
      nodes: name.split('+'),
      after,
      partitions: options.partitions ?? 1,
    })),
    batch: options.batch ?? { records: 100, bytes: 8 * 1024 * 1024 },
    lingerMs: 0,
  };
}
