import { afterAll, beforeAll, expect, it } from 'vitest';
import { useTestStack } from '@autoflow/local-stack/testing';
import { startPlatform, type Platform } from './platform.js';

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
