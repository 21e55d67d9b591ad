import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { useTestStack } from '@autoflow/local-stack/testing';
import { cuttableProxy, type CuttableProxy } from './cuttable-proxy.js';
import { BY, jsonl, startBackfill, startPlatform, topologyOf, untilRow, type Platform } from './platform.js';

const TOPOLOGY = topologyOf({
  measure: [],
  'may-pass': ['measure'],
  perform: ['may-pass'],
  weigh: ['may-pass'],
  store: ['perform', 'weigh'],
});
const COUNT = 30;

/** The test itself speaks to the servers directly; only the worker goes through the proxies. */
describe('a worker that loses a server in mid-run', () => {
  const stack = useTestStack();
  let platform: Platform;
  const proxies: { postgres?: CuttableProxy; temporal?: CuttableProxy } = {};
  beforeAll(async () => {
    platform = await startPlatform(stack);
    await platform.store.definitions.setStable({ pipeline: 'acts', version: await platform.registerVersion(TOPOLOGY), by: BY });
    const database = new URL(stack.databaseUrl);
    const [host = '', port] = stack.temporal.address.split(':');
    proxies.postgres = await cuttableProxy({ host: database.hostname, port: Number(database.port) });
    proxies.temporal = await cuttableProxy({ host, port: Number(port) });
    database.host = `127.0.0.1:${proxies.postgres.port}`;
    await platform.startWorker(undefined, {
      databaseUrl: database.href,
      temporal: { ...stack.temporal, address: `127.0.0.1:${proxies.temporal.port}` },
    });
  });
  afterAll(async () => {
    await platform?.stop();
    await proxies.postgres?.close();
    await proxies.temporal?.close();
  });

  it.each(['postgres', 'temporal'] as const)('(%s) waits for it, and loses and repeats nothing', { timeout: 180_000 }, async (server) => {
    const id = `outage-${server}`;
    const proxy = proxies[server]!;
    const records = Array.from({ length: COUNT }, (_, at) => ({ id: `${id}-${at}`, act: at % 10 === 0 ? 'drop' : 'pass' }));
    const handle = await startBackfill(platform, { id, batchRecords: 3, concurrency: 3, source: await jsonl(stack.folder, id, records) });
    await untilRow(platform, `select 1 from autoflow.backfills where id = '${id}' and settled >= 9`);
    proxy.cut();
    await proxy.refused(5);
    proxy.mend();
    const counts = { completed: COUNT * 0.9, filtered: COUNT * 0.1, dead: 0, cancelled: 0 };
    expect(await handle.result()).toEqual({ read: COUNT, settled: COUNT, total: COUNT, counts });
    expect((await platform.store.ledger.outcomeDigest('acts', id)).counts).toEqual(counts);
    // A batch that was under way may be stored again, under the same keys.
    const { rows } = await platform.sql.query<{ stored: number }>('select count(*)::int as stored from sink where id like $1', [`${id}-%`]);
    expect(rows).toEqual([{ stored: counts.completed }]);
    expect(await platform.store.ledger.openBatches({ pipeline: 'acts' })).toEqual([]);
  });
});
