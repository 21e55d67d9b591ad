/** Records through the inbox and the feeder, as live traffic goes. */
import { randomBytes } from 'node:crypto';
import type { Fields } from '@autoflow/pipeline';
import { recordDigest, type NewRecord } from '@autoflow/store';
import { setTimeout as delay } from 'node:timers/promises';
import type { BenchPlatform } from './platform.js';

/** Puts `records` into the inbox at once, and answers how many per second then got their outcome: from the first claim on, by the database's clock. */
export async function throughput(platform: BenchPlatform, records: readonly Fields[]): Promise<number> {
  return (await runThrough(platform, records)).perSecond;
}

/** `throughput`, and the scope that the outcomes are in. */
export async function runThrough(
  { store, spec }: BenchPlatform,
  records: readonly Fields[],
): Promise<{ readonly perSecond: number; readonly scope: string }> {
  const pipeline = spec.name;
  const scope = `live-${randomBytes(4).toString('hex')}`;
  const rows = records.map((fields) => newRecord(fields, spec.key));
  const startedAt = await store.ended.clock();
  for (let from = 0; from < rows.length; from += 1000)
    await store.inbox.accept({ pipeline, scope, records: rows.slice(from, from + 1000) });
  const query = () => ({ pipeline, scope, mark: '', from: startedAt - 1000, to: Date.now() + 60_000 });
  while ((await store.ended.count(query())) < records.length) await delay(100);
  let last = startedAt;
  for await (const { endedAt } of store.ended.read(query())) last = Math.max(last, endedAt);
  return { perSecond: (records.length / Math.max(last - startedAt, 1)) * 1000, scope };
}

export function newRecord(record: Fields, key: string): NewRecord {
  return { key: String(record[key]), record, digest: recordDigest(record), bytes: Buffer.byteLength(JSON.stringify(record)) };
}
