import { afterAll, beforeAll } from 'vitest';
import { createClient } from '@autoflow/client';
import { createControlPlane, type ControlPlane } from '@autoflow/control-plane';
import { createIngest, type Ingest } from '@autoflow/ingest';
import { useTestStack } from '@autoflow/local-stack/testing';
import { specOf } from '@autoflow/pipeline';
import { retailOrders } from '@autoflow/retail-orders';
import { openStore, type Store } from '@autoflow/store';
import { Client, Connection } from '@temporalio/client';
import { autoflow as run } from './spawn.js';

/** What a command is run against, from before the first test of a file until behind its last. */
export interface Servers {
  readonly folder: string;
  readonly store: Store;
  readonly temporal: Client;
  readonly controlPlane: ControlPlane;
  readonly ingest: Ingest;
  /** Of an admin. */
  readonly token: string;
  /** The built command, as an admin of these servers. */
  autoflow(...args: string[]): ReturnType<typeof run>;
  json(...args: string[]): ReturnType<typeof run>;
}

/** Control plane and ingest on real servers, with the example registered as release `aaa…`; for the tests of the file that calls it. */
export function useServers(): Servers {
  const stack = useTestStack();
  const servers = {} as { -readonly [name in keyof Servers]: Servers[name] };
  let connection: Connection;
  beforeAll(async () => {
    const store = await openStore({ connectionString: stack.databaseUrl });
    await store.migrate();
    connection = await Connection.connect({ address: stack.temporal.address });
    const temporal = new Client({ connection, namespace: stack.temporal.namespace });
    const [controlPlane, ingest] = [await createControlPlane({ store, temporal }), await createIngest({ store, temporal })];
    const token = await store.access.createToken('admin', 'admin');
    const autoflow: Servers['autoflow'] = (...args) => run(...args, '--api', controlPlane.url, '--ingest', ingest.url, '--token', token);
    Object.assign(servers, {
      folder: stack.folder,
      store,
      temporal,
      controlPlane,
      ingest,
      token,
      autoflow,
      json: (...args: string[]) => autoflow(...args, '--json'),
    });
    await createClient({ url: controlPlane.url, token }).pipelines.register({ spec: specOf(retailOrders), release: 'a'.repeat(64) });
  });
  afterAll(async () => {
    await servers.ingest.close();
    await servers.controlPlane.close();
    await connection.close();
    await servers.store.close();
  });
  return servers;
}
