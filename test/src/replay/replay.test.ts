import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { buildRelease, type Release } from '@autoflow/function-host';
import { useTestStack } from '@autoflow/local-stack/testing';
import type { RecordedCall } from '@autoflow/store';
import { asWritten, defaultAllocation, defaultEnvelope, samplePosition, type Topology } from '@autoflow/topology';
import { backfill, BY, jsonl, startPlatform, type Platform } from '../execution/platform.js';

const SHARE = 0.5;
const ORDERS = Array.from({ length: 40 }, (_, i) => ({
  id: `order-${i}`,
  country: i % 3 === 0 ? 'DE' : 'FR',
  lines:
    i % 5 === 4
      ? []
      : [
          { sku: 'a', cents: 100 + i },
          { sku: 'b', cents: 50 },
        ],
}));
const SAMPLED = ORDERS.filter(({ id }) => samplePosition(id) < SHARE);

describe('recordings', () => {
  const stack = useTestStack();
  let platform: Platform;
  let release: Release;
  beforeAll(async () => {
    platform = await startPlatform(stack);
    await platform.sql.query(`
      create table rates (country text, rate float8);
      insert into rates values ('DE', 1.19), ('FR', 1.2);
      create table asked (country text);
      create table booked (key text primary key, id text, cents int, note text)`);
    release = await register('orders', (spec) => asWritten(spec));
    await platform.startWorker(undefined, { recordShare: SHARE });
    await backfill(platform, {
      id: 'recorded',
      pipeline: 'orders',
      batchRecords: 20,
      source: await jsonl(stack.folder, 'recorded', ORDERS),
    });
  });
  afterAll(() => platform?.stop());

  /** Builds a module with a release of `orders`; of the first release the version is stable. */
  async function register(module: string, topologyOf: (spec: Release['specs'][number]) => Topology): Promise<Release> {
    const built = await buildRelease(
      fileURLToPath(new URL(`./${module}${extname(import.meta.url)}`, import.meta.url)),
      platform.options.releases,
    );
    const spec = built.specs.find(({ name }) => name === 'orders')!;
    const topology = topologyOf(spec);
    const envelope = defaultEnvelope(spec, topology);
    const allocation = defaultAllocation(spec, topology, envelope);
    await platform.store.definitions.registerRelease({
      release: { pipeline: 'orders', hash: built.hash, spec },
      ...{ topology, envelope, allocation, by: BY },
    });
    return built;
  }

  const callsOf = async (sample: readonly { scope: string; key: string }[], node: string): Promise<Map<string, RecordedCall[]>> => {
    const functions = [release.manifest.functions['orders']![node]!];
    const rows = await platform.store.recordings.calls({ pipeline: 'orders', records: sample, functions });
    return new Map(rows.map(({ key, calls }) => [key, JSON.parse(calls) as RecordedCall[]]));
  };

  it('hold inputs, outcomes, answers of reads and digests of writes of the same records at every stage, and of no others', async () => {
    const sample = await vi.waitFor(
      async () => {
        const found = await platform.store.recordings.sample({ pipeline: 'orders', release: release.hash, limit: 100 });
        const booked = await callsOf(found, 'book');
        expect(booked.size).toBe(SAMPLED.filter(({ lines }) => lines.length > 0).length);
        return found;
      },
      { timeout: 15_000 },
    );
    expect(sample.map(({ key }) => key).sort()).toEqual(SAMPLED.map(({ id }) => id).sort());
    const totals = await callsOf(sample, 'lines');
    const rates = await callsOf(sample, 'look-up-rate');
    const booked = await callsOf(sample, 'book');
    for (const { id, country, lines } of SAMPLED) {
      const { record, outcome } = sample.find(({ key }) => key === id)!;
      expect(record).toEqual({ id, country, lines });
      expect(totals.get(id)).toEqual([
        { input: { lines }, answer: { children: lines.map(({ sku, cents }) => ({ sku, lineCents: cents })) } },
      ]);
      if (lines.length === 0) {
        expect(outcome).toEqual({ state: 'filtered', by: 'is-sale', reason: 'nothing to pay' });
        expect(rates.get(id)).toBeUndefined();
      } else {
        expect(outcome).toMatchObject({ state: 'completed', output: { booked: true } });
        expect(rates.get(id)).toEqual([{ input: { country }, answer: { fields: { rate: country === 'DE' ? 1.19 : 1.2 } } }]);
        expect(booked.get(id)).toEqual([{ digest: expect.stringMatching(/^[0-9a-f]{64}$/), answer: { fields: { booked: true } } }]);
      }
    }
  });
});
