/** Ingest as a process: settings from the environment, JSON lines on stdout, ends cleanly on SIGINT and SIGTERM. */
import { type Log, openStore } from '@autoflow/store';
import { dataConverterOf } from '@autoflow/workflows/codec';
import { Client, Connection } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { pino } from 'pino';
import { createIngest } from './ingest.js';
import { readSettings, SettingsError } from './settings.js';

try {
  await run();
} catch (error) {
  console.error(error instanceof SettingsError ? error.message : error);
  process.exit(error instanceof SettingsError ? 2 : 1);
}

async function run(): Promise<void> {
  const settings = readSettings(process.env);
  const logger = pino({ level: settings.logLevel, base: { app: 'ingest' } });
  const log: Log = (level, message, details = {}) => logger[level](details, message);

  const store = await openStore({ connectionString: settings.databaseUrl, log });
  const { applied } = await store.migrate();
  if (applied.length > 0) log('info', 'migrations applied', { applied });
  const { connectionOptions, namespace } = loadClientConnectConfig();
  const connection = Connection.lazy(connectionOptions);
  const dataConverter = dataConverterOf(settings.payloadKeys);
  const temporal = new Client({
    connection,
    ...(namespace !== undefined && { namespace }),
    ...(dataConverter !== undefined && { dataConverter }),
  });

  const ingest = await createIngest({ ...settings, store, temporal, log });
  log('info', 'ingest listens', { url: ingest.url });
  process.send?.({ url: ingest.url });

  let isStopping = false;
  const stop = async (signal: string) => {
    if (isStopping) return;
    isStopping = true;
    log('info', 'stopping', { signal });
    await ingest.close();
    await store.close().catch(() => undefined);
    // The connection to Temporal is not closed but left: a call that the SDK repeats just then would throw where nobody can catch it.
    process.exit(0);
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void stop(signal));
}
