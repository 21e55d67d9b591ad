/** Servers that may be killed: Temporal and Postgres over files, on ports that stay the same. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startPostgres, startTemporal, type Server } from '@autoflow/local-stack';
import type { Servers } from '../execution/platform.js';

export type ServerName = 'temporal' | 'postgres';

export interface FaultyServers extends Servers {
  /** SIGKILL; resolves when it is gone. */
  kill(name: ServerName): Promise<void>;
  /** Over the same data, at the same address. */
  start(name: ServerName): Promise<void>;
  stop(): Promise<void>;
}

/** After a SIGKILL the children of Postgres hold its shared memory for a moment. */
const PATIENCE_MS = 20_000;

export async function startFaultyServers(): Promise<FaultyServers> {
  const folder = await mkdtemp(join(tmpdir(), 'autoflow-faults-'));
  const running = new Map<ServerName, Server>();
  const note = (name: ServerName) => (server: Server) => void running.set(name, server);
  const homes = new Set<string>();
  const postgres = (port?: number) =>
    startPostgres({
      folder,
      id: basename(folder),
      durable: true,
      port,
      log: () => undefined,
      onHome: (home) => homes.add(home),
      onStarted: note('postgres'),
    });
  const temporal = (port?: number) =>
    startTemporal({
      folder,
      persistent: true,
      namespaces: [],
      ports: { temporal: port },
      env: process.env,
      onStarted: note('temporal'),
    });
  const [database, workflows] = await Promise.all([postgres(), temporal()]);
  const again = { postgres: () => postgres(database.port), temporal: () => temporal(workflows.ports.temporal) };
  return {
    folder,
    databaseUrl: database.url,
    temporal: { address: workflows.address, namespace: 'default' },
    async kill(name) {
      const server = running.get(name)!;
      process.kill(server.mark.pid, 'SIGKILL');
      await server.exited;
    },
    async start(name) {
      const deadline = Date.now() + PATIENCE_MS;
      for (;;) {
        try {
          await again[name]();
          return;
        } catch (error) {
          if (Date.now() > deadline) throw error;
          await delay(200);
        }
      }
    },
    async stop() {
      await Promise.all([...running.values()].map((server) => server.stop()));
      for (const path of [folder, ...homes]) await rm(path, { recursive: true, force: true });
    },
  };
}
