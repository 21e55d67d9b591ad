import { startTracing, type Tracing } from '@autoflow/telemetry';
import { clientInterceptors } from '@autoflow/telemetry/temporal';
import { type Log, openStore, type Store } from '@autoflow/store';
import { dataConverterOf } from '@autoflow/workflows/codec';
import { Client, Connection } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { pino } from 'pino';
import type { Service } from '../serve.js';
import { type ServiceSettings, SettingsError } from './settings.js';

export interface ServiceProcess<S extends ServiceSettings> {
  /** In log lines. */
  readonly app: string;
  /** Throws a `SettingsError`. */
  readonly readSettings: (env: NodeJS.ProcessEnv) => S;
  /** Resolves when it listens. The store is migrated; the connection to Temporal is opened when it is first used. */
  readonly start: (settings: S, ports: { readonly store: Store; readonly temporal: Client; readonly log: Log }) => Promise<Service>;
}

/**
 * An HTTP service as a process: settings from the environment, JSON lines on stdout, tells its parent (if it has a channel) its address,
 * ends cleanly on SIGINT and SIGTERM. Exit code 2: the settings are wrong; 1: it could not start.
 */
export async function runService<S extends ServiceSettings>(service: ServiceProcess<S>): Promise<void> {
  try {
    await run(service);
  } catch (error) {
    console.error(error instanceof SettingsError ? error.message : error);
    process.exit(error instanceof SettingsError ? 2 : 1);
  }
}

async function run<S extends ServiceSettings>({ app, readSettings, start }: ServiceProcess<S>): Promise<void> {
  const settings = readSettings(process.env);
  const logger = pino({ level: settings.logLevel, base: { app } });
  const log: Log = (level, message, details = {}) => logger[level](details, message);

  const tracing = await startTracing({ service: `autoflow-${app}`, env: process.env, log });
  const store = await openStore({ connectionString: settings.databaseUrl, log });
  const { applied } = await store.migrate();
  if (applied.length > 0) log('info', 'migrations applied', { applied });

  const service = await start(settings, { store, temporal: temporalClient(settings, tracing), log });
  log('info', `${app} listens`, { url: service.url });
  process.send?.({ url: service.url });

  let isStopping = false;
  const stop = async (signal: string) => {
    if (isStopping) return;
    isStopping = true;
    log('info', 'stopping', { signal });
    await service.close();
    await store.close().catch(() => undefined);
    await tracing?.close();
    // The connection to Temporal is not closed but left: a call that the SDK repeats just then would throw where nobody can catch it.
    process.exit(0);
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void stop(signal));
}

function temporalClient({ payloadKeys }: ServiceSettings, tracing: Tracing | undefined): Client {
  const { connectionOptions, namespace } = loadClientConnectConfig();
  const dataConverter = dataConverterOf(payloadKeys);
  return new Client({
    connection: Connection.lazy(connectionOptions),
    ...(namespace !== undefined && { namespace }),
    ...(dataConverter !== undefined && { dataConverter }),
    ...clientInterceptors(tracing),
  });
}
