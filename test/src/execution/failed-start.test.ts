import { afterAll, beforeAll, expect, it } from 'vitest';
import { useTestStack } from '@autoflow/local-stack/testing';
import { recordDigest } from '@autoflow/store';
import { startPlatform, untilRow, type Platform } from './platform.js';

const stack = useTestStack();
let platform: Platform;
beforeAll(async () => {
  platform = await startPlatform(stack);
});
afterAll(() => platform?.stop());

it('closes all that it had opened, and tells why it did not start', { timeout: 120_000 }, async () => {
  const connections = async () =>
    (await platform.sql.query<{ n: number }>('select count(*)::int as n from pg_stat_activity where datname = current_database()')).rows[0]!
      .n;
  const before = await connections();
  // The function host is up by the time that the namespace turns out to be missing.
  const temporal = { ...stack.temporal, namespace: 'no-such-namespace' };
  await expect(platform.startWorker(undefined, { temporal })).rejects.toThrow(/namespace|NotFound/i);
  while ((await connections()) > before) await platform.sql.query('select pg_sleep(0.02)');
  // What is left of it would hinder the next one.
  const worker = await platform.startWorker();
  await worker.stop();
});

it('feeds with the share of probes that its settings say', async () => {
  const record = { id: 'probed', act: 'pass' };
  await platform.store.inbox.accept({
    pipeline: 'acts',
    scope: 'live',
    records: [{ key: 'probed', record, digest: recordDigest(record), bytes: 30 }],
  });
  await platform.startWorker(['feeder'], { probeShare: 1 });
  await untilRow(platform, 'select 1 from autoflow.batches where probe');
});
