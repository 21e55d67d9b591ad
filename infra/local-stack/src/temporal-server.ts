import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Connection } from '@temporalio/client';
import { freePort } from './ports.js';
import { type Server, startServer, untilHealthy } from './processes.js';
import { SEARCH_ATTRIBUTES } from './search-attributes.js';
import { findTemporal } from './temporal-binary.js';

export interface TemporalServerOptions {
  readonly folder: string;
  /** Workflows survive a restart, and the server has its web UI. */
  readonly persistent: boolean;
  readonly namespaces: readonly string[];
  /** Taken when they are free. */
  readonly ports: { readonly temporal?: number | undefined; readonly temporalUi?: number | undefined };
  readonly env: NodeJS.ProcessEnv;
  readonly onStarted: (server: Server) => void;
}

export interface TemporalServer {
  readonly server: Server;
  readonly address: string;
  readonly uiUrl?: string;
  readonly ports: { readonly temporal: number; readonly temporalUi?: number };
}

/**
 * Poll rates: with the default of 20 requests a second and shard every hop of a workflow waits about 45 ms.
 * Long polls: an idle pool drains in 7 s instead of 114 s. With polls of one second it would in 0.5 s, but an idle server would take half a core:
 * its own workers poll too.
 */
const DYNAMIC_CONFIG = [
  'history.transferProcessorMaxPollRPS=5000',
  'history.timerProcessorMaxPollRPS=5000',
  'history.visibilityProcessorMaxPollRPS=5000',
  'matching.longPollExpirationInterval="5s"',
];

/** Starts a development server and returns when each of its namespaces answers. */
export async function startTemporal(options: TemporalServerOptions): Promise<TemporalServer> {
  const command = findTemporal(options.env);
  const port = await freePort(options.ports.temporal);
  const uiPort = options.persistent ? await freePort(options.ports.temporalUi) : undefined;
  const server = await startServer({
    command,
    args: [...listen(port, uiPort), ...storage(options), ...settings(options.namespaces)],
    logFile: join(options.folder, 'temporal.log'),
    stopSignal: 'SIGTERM',
    env: options.env,
    onStarted: options.onStarted,
  });
  const address = `127.0.0.1:${port}`;
  await untilHealthy(server, 'TEMPORAL_NOT_STARTED', `The Temporal server (${command})`, 60_000, async () => {
    announced(server.logFile, port);
    await answers(address, ['default', ...options.namespaces]);
  });
  return {
    server,
    address,
    ...(uiPort !== undefined && { uiUrl: `http://127.0.0.1:${uiPort}` }),
    ports: { temporal: port, ...(uiPort !== undefined && { temporalUi: uiPort }) },
  };
}

function listen(port: number, uiPort: number | undefined): string[] {
  return [
    'server',
    'start-dev',
    '--ip',
    '127.0.0.1',
    '--port',
    String(port),
    ...(uiPort === undefined ? ['--headless'] : ['--ui-port', String(uiPort)]),
  ];
}

function storage({ persistent, folder }: TemporalServerOptions): string[] {
  return persistent ? ['--db-filename', join(folder, 'temporal.db')] : [];
}

function settings(namespaces: readonly string[]): string[] {
  return [
    ...DYNAMIC_CONFIG.flatMap((setting) => ['--dynamic-config-value', setting]),
    ...SEARCH_ATTRIBUTES.flatMap((name) => ['--search-attribute', `${name}=Keyword`]),
    ...namespaces.flatMap((name) => ['--namespace', name]),
  ];
}

/** The server says on which port it listens; without that line another server may be the one that answers there. */
function announced(logFile: string, port: number): void {
  if (!new RegExp(`Server:\\s+\\S+:${port}\\b`).test(readFileSync(logFile, 'utf8'))) throw new Error('not announced yet');
}

async function answers(address: string, namespaces: readonly string[]): Promise<void> {
  const connection = await Connection.connect({ address, connectTimeout: '2s' });
  try {
    for (const namespace of namespaces) await connection.workflowService.describeNamespace({ namespace });
  } finally {
    await connection.close();
  }
}
