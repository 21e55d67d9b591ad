/** The whole product as separate processes on given servers, with the pipeline `acts` in force. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createClient, createIngestClient, type AutoFlowClient, type IngestClient } from '@autoflow/client';
import { expect } from 'vitest';
import { freePort } from '@autoflow/local-stack';
import { defaultAllocation, defaultEnvelope } from '@autoflow/topology';
import { BY, startPlatform, topologyOf, type Platform, type Servers } from '../execution/platform.js';
import { FaultyProcess } from './processes.js';

/** Small batches, so that many are under way at any time. */
const TOPOLOGY = topologyOf(
  { 'measure+may-pass': [], 'perform+weigh+store': ['measure+may-pass'] },
  { batch: { records: 4, bytes: 1024 * 1024 } },
);
const built = (app: string) => fileURLToPath(new URL(`../../../apps/${app}/dist/main.js`, import.meta.url));

export interface FaultyStack {
  readonly platform: Platform;
  readonly ingest: IngestClient;
  /** Of the control plane. */
  readonly api: AutoFlowClient;
  readonly apiUrl: string;
  readonly processes: readonly FaultyProcess[];
  process(name: string): FaultyProcess;
  /** The version in force runs one invocation of each stage at a time, or as many as by default; resolves when all hosts keep to it. */
  narrow(narrow: boolean): Promise<void>;
  stop(): Promise<void>;
}

/** Processes are named after their role, with a number where there are several: `feeder-1`. `settings`: of the workers, in addition. */
export async function startFaultyStack(
  servers: Servers,
  workers: readonly (readonly [name: string, roles: string])[],
  settings: NodeJS.ProcessEnv = {},
): Promise<FaultyStack> {
  const platform = await startPlatform(servers);
  const { store, spec } = platform;
  const envelope = defaultEnvelope(spec, TOPOLOGY);
  const wide = defaultAllocation(spec, TOPOLOGY, envelope);
  const version = await platform.registerVersion(TOPOLOGY, wide, envelope);
  await store.definitions.setStable({ pipeline: spec.name, version, by: BY });
  const token = await store.access.createToken('faults', 'admin');
  const [apiPort, ingestPort] = [await freePort(), await freePort()];
  const apiUrl = `http://127.0.0.1:${apiPort}`;
  const common = {
    PATH: process.env['PATH'],
    DATABASE_URL: servers.databaseUrl,
    TEMPORAL_ADDRESS: servers.temporal.address,
    TEMPORAL_NAMESPACE: servers.temporal.namespace,
    TEMPORAL_CONFIG_FILE: process.env['TEMPORAL_CONFIG_FILE'],
    AUTOFLOW_LOG_LEVEL: 'warn',
  };
  const processes = [
    new FaultyProcess({
      name: 'control-plane',
      file: built('control-plane'),
      env: { ...common, AUTOFLOW_API_PORT: String(apiPort) },
    }),
    new FaultyProcess({
      name: 'ingest',
      file: built('ingest'),
      env: { ...common, AUTOFLOW_INGEST_PORT: String(ingestPort) },
    }),
    ...workers.map(
      ([name, roles]) =>
        new FaultyProcess({
          name,
          file: built('worker'),
          env: {
            ...common,
            AUTOFLOW_ROLES: roles,
            AUTOFLOW_HOST: name,
            AUTOFLOW_RELEASES: platform.options.releases,
            AUTOFLOW_BATCHES: `file:${join(servers.folder, 'batches')}`,
            AUTOFLOW_SECRET_TEST_DATABASE_URL: servers.databaseUrl,
            ...settings,
          },
        }),
    ),
  ];
  await Promise.all(processes.map((each) => each.start()));
  return {
    platform,
    ingest: createIngestClient({ url: `http://127.0.0.1:${ingestPort}`, token, timeoutMs: 5_000 }),
    api: createClient({ url: apiUrl, token }),
    apiUrl,
    processes,
    process: (name) => {
      const found = processes.find((each) => each.name === name);
      if (found === undefined) throw new Error(`no process ${name}`);
      return found;
    },
    narrow: async (narrow) => {
      const stages = narrow ? Object.fromEntries(Object.entries(wide).map(([id, each]) => [id, { ...each, concurrency: 1 }])) : wide;
      await store.definitions.setAllocation({ pipeline: spec.name, version, stages, by: BY });
      const wanted = Object.fromEntries(Object.entries(stages).map(([id, { concurrency }]) => [id, concurrency]));
      await expect.poll(() => acknowledged(store, version), { timeout: 30_000 }).toEqual(wanted);
    },
    stop: async () => {
      await Promise.all(processes.map((each) => each.kill()));
      await platform.stop();
    },
  };
}

/** Instances that the hosts say they may run of each stage, of the version's own memory classes. */
async function acknowledged({ hosts }: Platform['store'], version: string): Promise<{ [stage: string]: number }> {
  const sums: { [stage: string]: number } = {};
  for (const pool of await hosts.acknowledged('acts'))
    if (pool.version === version) sums[pool.stage] = (sums[pool.stage] ?? 0) + pool.concurrency;
  return sums;
}
