import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createClient, createIngestClient, type AutoFlowClient, type IngestClient } from '@autoflow/client';
import { freePort, type Stack, startStack, type TemporalEndpoint } from '@autoflow/local-stack';
import { setUpOrders } from '@autoflow/retail-orders';
import { openStore } from '@autoflow/store';
import { registerModule } from '../modules/register.js';
import { ensureAdminToken } from './admin-token.js';
import { childEnvironment } from './child-environment.js';
import { type Child, startChild } from './child.js';
import { CONTROL_PLANE, EXAMPLE_MODULE, INGEST, RATES_SERVER, WORKER } from './programs.js';
import { publish, unpublish } from './published.js';

export interface RunningStackOptions {
  /** `persistent`: data survives a restart. `ephemeral`: in memory where possible, gone when stopped. */
  readonly mode: 'persistent' | 'ephemeral';
  /** Default `local`. Stacks of different names never meet. */
  readonly name?: string;
  /** Default: the stack's own place under the cache folder of this user. */
  readonly dataFolder?: string;
  /** Default: the environment of this process; the children get what is not AutoFlow's of it, too. */
  readonly env?: NodeJS.ProcessEnv;
  /** Modules whose pipelines are registered; default: the example. */
  readonly modules?: readonly string[];
  /** Of the records, by key: what is recorded for shadow and calibration. Default: that of the worker. */
  readonly recordShare?: number;
  readonly log: (line: string) => void;
  /** Ends a start that is under way; what was started is stopped again. */
  readonly signal?: AbortSignal;
}

export interface RunningStack {
  readonly api: string;
  /** Where records are accepted. */
  readonly ingest: string;
  /** Of an admin. Not for logs. */
  readonly token: string;
  readonly tokenFile: string;
  /** Speaks to `api` with `token`. */
  readonly client: AutoFlowClient;
  /** Speaks to `ingest` with `token`. */
  readonly ingestClient: IngestClient;
  readonly temporal: TemporalEndpoint;
  /** Holds a password: not for logs. */
  readonly databaseUrl: string;
  /** The example's rate service. */
  readonly ratesUrl: string;
  readonly folder: string;
  /** Where the worker keeps the releases that it has fetched. */
  readonly releases: string;
  readonly batches: string;
  readonly pipelines: readonly { readonly name: string; readonly version: string; readonly release: string }[];
  /** Log files lie in `<folder>/logs`. */
  readonly children: { readonly controlPlane: Child; readonly ingest: Child; readonly worker: Child; readonly rates: Child };
  /** Resolves with what happened if a part of the stack ends without being stopped. */
  readonly lost: Promise<Error>;
  /** Stops everything, in an order in which nothing that runs misses what it needs. May be called again. */
  stop(): Promise<void>;
}

/**
 * Everything on this machine: Temporal, Postgres, control plane, ingest, a worker in all roles, the example's rate service, and the example's
 * pipeline registered. Resolves when it takes work; when a part does not start, what was started is stopped again.
 */
export async function startRunningStack(options: RunningStackOptions): Promise<RunningStack> {
  const { mode, name = 'local', dataFolder, env = process.env, modules = [EXAMPLE_MODULE()], recordShare, log, signal } = options;
  const stack = await startStack({ name, mode, ...(dataFolder !== undefined && { dataFolder }), env, log });
  const undo = new Undo(() => stack.stop());
  try {
    signal?.throwIfAborted();
    const folders = makeFolders(stack.folder);
    const admin = await prepareDatabase(stack);
    signal?.throwIfAborted();
    log('starting the control plane, ingest, the worker and the rate service');
    const start = childStarter(folders.logs, undo, signal);
    const common = addresses(stack);
    const rates = await start('rates', RATES_SERVER(), childEnvironment(env, {}));
    const ratesUrl = (rates.ready as { url: string }).url;
    const port = async (wished: number) => String(mode === 'persistent' ? await freePort(wished) : 0);
    const [apiPort, ingestPort] = [await port(4000), await port(4100)];
    const [controlPlane, ingest, worker] = await all([
      start('control-plane', CONTROL_PLANE(), childEnvironment(env, { ...common, AUTOFLOW_API_PORT: apiPort })),
      start('ingest', INGEST(), childEnvironment(env, { ...common, AUTOFLOW_INGEST_PORT: ingestPort })),
      start(
        'worker',
        WORKER(),
        childEnvironment(env, { ...common, ...workerSettings(folders, stack, { ratesUrl, name, recordShare }) }, { worker: true }),
      ),
    ]);
    const api = (controlPlane.ready as { url: string }).url;
    const ingestUrl = (ingest.ready as { url: string }).url;
    const client = createClient({ url: api, token: admin.token });
    const pipelines = [];
    signal?.throwIfAborted();
    for (const module of modules) pipelines.push(...(await registerModule(client, module, 'registered by autoflow up')));
    publish(stack.folder, { api, ingest: ingestUrl, tokenFile: admin.file });
    undo.add(() => unpublish(stack.folder));
    const children = { controlPlane, ingest, worker, rates };
    return {
      ...folders,
      api,
      ingest: ingestUrl,
      client,
      ingestClient: createIngestClient({ url: ingestUrl, token: admin.token }),
      token: admin.token,
      tokenFile: admin.file,
      temporal: stack.temporal,
      databaseUrl: stack.databaseUrl,
      ratesUrl,
      folder: stack.folder,
      pipelines,
      children,
      lost: Promise.race([stack.lost, ...Object.values(children).map(lossOf)]),
      stop: () => undo.run(),
    };
  } catch (error) {
    await undo.run();
    throw error;
  }
}

interface Folders {
  readonly releases: string;
  readonly batches: string;
  readonly logs: string;
}

function makeFolders(folder: string): Folders {
  const folders = { releases: join(folder, 'releases'), batches: join(folder, 'batches'), logs: join(folder, 'logs') };
  for (const path of Object.values(folders)) mkdirSync(path, { recursive: true, mode: 0o700 });
  return folders;
}

/** Schema, admin token, and what the example needs of its own. */
async function prepareDatabase({ databaseUrl, folder }: Stack): Promise<{ token: string; file: string }> {
  const store = await openStore({ connectionString: databaseUrl, maxConnections: 2 });
  try {
    await store.migrate();
    await setUpOrders(databaseUrl);
    return await ensureAdminToken(folder, store);
  } finally {
    await store.close();
  }
}

/** Where Temporal is configured already, the children read the same configuration. */
function addresses({ databaseUrl, temporal }: Stack): NodeJS.ProcessEnv {
  return {
    DATABASE_URL: databaseUrl,
    ...(!temporal.external && { TEMPORAL_ADDRESS: temporal.address, TEMPORAL_NAMESPACE: temporal.namespace }),
  };
}

function workerSettings(
  { releases, batches }: Folders,
  { databaseUrl }: Stack,
  { ratesUrl, name, recordShare }: { readonly ratesUrl: string; readonly name: string; readonly recordShare: number | undefined },
): NodeJS.ProcessEnv {
  return {
    // A learner costs nothing until a training is asked for.
    AUTOFLOW_ROLES: 'workflows,control,functions,feeder,learner',
    AUTOFLOW_RELEASES: releases,
    AUTOFLOW_BATCHES: `file:${batches}`,
    AUTOFLOW_HOST: `${name}-${process.pid}`,
    ...(recordShare !== undefined && { AUTOFLOW_RECORD_SHARE: String(recordShare) }),
    AUTOFLOW_SECRET_RATES_URL: ratesUrl,
    AUTOFLOW_SECRET_ORDERS_DATABASE_URL: databaseUrl,
  };
}

/** Children are stopped in the opposite order of their starts: the worker before what its work needs. */
function childStarter(logs: string, undo: Undo, signal: AbortSignal | undefined) {
  return async (name: string, program: string, env: NodeJS.ProcessEnv): Promise<Child> => {
    const started = await startChild({ name, program, env, logFile: join(logs, `${name}.log`), signal });
    undo.add(() => started.stop());
    return started;
  };
}

async function lossOf({ name, gone }: Child): Promise<Error> {
  const { code, signal } = await gone;
  return new Error(`${name} ended by itself (${signal ?? `exit code ${code}`}); its log lies in the stack's folder`);
}

/** When one fails, the others must have come to rest before they can be stopped. */
async function all<T extends readonly unknown[]>(promises: { readonly [I in keyof T]: Promise<T[I]> }): Promise<T> {
  await Promise.allSettled(promises);
  return (await Promise.all(promises)) as unknown as T;
}

/** What was done, to be undone in the opposite order, once. */
class Undo {
  private readonly steps: (() => unknown)[];
  private running: Promise<void> | undefined;

  constructor(first: () => unknown) {
    this.steps = [first];
  }
  add(step: () => unknown): void {
    this.steps.push(step);
  }
  run(): Promise<void> {
    return (this.running ??= this.runAll());
  }
  private async runAll(): Promise<void> {
    for (const step of this.steps.toReversed()) await step();
  }
}
