import { randomUUID } from 'node:crypto';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { NativeConnection, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createClient } from '@autoflow/client';
import { createControlPlane } from '@autoflow/control-plane';
import { buildRelease, type Release } from '@autoflow/function-host';
import { useTestStack } from '@autoflow/local-stack/testing';
import type { RecordedCall } from '@autoflow/store';
import {
  asWritten,
  defaultAllocation,
  defaultEnvelope,
  samplePosition,
  stageName,
  type ShadowReport,
  type Topology,
} from '@autoflow/topology';
import { fit, LOCAL_HOST } from '@autoflow/twin';
import { backfill, BY, jsonl, startPlatform, type Platform } from '../execution/platform.js';

const beside = (module: string): string => fileURLToPath(new URL(`./${module}${extname(import.meta.url)}`, import.meta.url));
/** All in one stage, the order of the nodes as written. */
const fused = (spec: Release['specs'][number]): Topology => {
  const nodes = spec.nodes.map(({ id }) => id);
  return { ...asWritten(spec), stages: [{ name: stageName(nodes), nodes, after: [], partitions: 1 }], batch: { records: 10, bytes: 1e6 } };
};
const SHARE = 0.5;
const ORDERS = Array.from({ length: 24 }, (_, i) => ({
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

describe('recordings and replay', () => {
  const stack = useTestStack();
  let platform: Platform;
  let release: Release;
  let worker: Worker;
  let working: Promise<void>;
  let native: NativeConnection;
  beforeAll(async () => {
    platform = await startPlatform(stack);
    await platform.sql.query(`
      create table rates (country text, rate float8);
      insert into rates values ('DE', 1.19), ('FR', 1.2);
      create table asked (country text);
      create table booked (key text primary key, id text, cents int, note text)`);
    ({ release } = await register('orders', asWritten));
    await platform.startWorker(undefined, { recordShare: SHARE, pipelines: ['orders'] });
    native = await NativeConnection.connect({ address: stack.temporal.address });
    const { namespace } = stack.temporal;
    worker = await Worker.create({ connection: native, namespace, taskQueue: 'ask', workflowsPath: beside('ask') });
    working = worker.run();
    await backfill(platform, {
      id: 'recorded',
      pipeline: 'orders',
      batchRecords: 20,
      source: await jsonl(stack.folder, 'recorded', ORDERS),
    });
  });
  afterAll(async () => {
    worker?.shutdown();
    await working;
    await native?.close();
    await platform?.stop();
  });

  /** Builds a module with a release of `orders`, and registers a version of it; the first one is stable. */
  async function register(module: string, topologyOf: (spec: Release['specs'][number]) => Topology) {
    const built = await buildRelease(beside(module), platform.options.releases);
    const spec = built.specs.find(({ name }) => name === 'orders')!;
    const topology = topologyOf(spec);
    const envelope = defaultEnvelope(spec, topology);
    const allocation = defaultAllocation(spec, topology, envelope);
    const { version } = await platform.store.definitions.registerRelease({
      release: { pipeline: 'orders', hash: built.hash, spec },
      ...{ topology, envelope, allocation, by: BY },
    });
    return { release: built, version: version.name };
  }

  const outside = async () => (await platform.sql.query('select (select count(*) from asked) + (select count(*) from booked) as n')).rows;
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

  it('tell, at several memory sizes, what functions take; nothing outside is touched, and no metric counts it', async () => {
    const controlPlane = await createControlPlane({ store: platform.store, temporal: platform.client });
    const token = await platform.store.access.createToken('operator', 'operator');
    const { calibrations } = createClient({ url: controlPlane.url, token });
    const metrics = async () => {
      const rows = await platform.store.metrics.metrics({ pipeline: 'orders', by: 'function', from: new Date(0), to: new Date() });
      // The pools' own use goes on being told.
      return rows.map(({ utilisation: _, ...row }) => row);
    };
    // Measurements come a moment after the outcomes; those of the last function last.
    const booked = ORDERS.filter(({ lines }) => lines.length > 0).length;
    const metered = await vi.waitUntil(
      async () => {
        const now = await metrics();
        return now.some(({ function: of, records }) => of === 'book' && records === booked) && now;
      },
      { timeout: 15_000 },
    );
    const before = [await outside(), metered];
    const { id } = await calibrations.start('orders', { memoryMb: [512, 192, 256] });
    const ended = await vi.waitUntil(
      async () => {
        const now = await calibrations.show('orders', id);
        return now.state !== 'running' && now;
      },
      { timeout: 120_000, interval: 500 },
    );
    expect(ended).toMatchObject({ state: 'completed', report: { version: 'v1', notMeasured: ['look-up-rate', 'book'] } });
    expect([await outside(), await metrics()]).toEqual(before);

    const rows = await platform.store.metrics.calibrations({ pipeline: 'orders', limit: 1_000 });
    expect(new Set(rows.map(({ memoryMb }) => memoryMb))).toEqual(new Set([192, 256, 512]));
    const { functions, problems } = fit(rows, LOCAL_HOST);
    expect(problems).toEqual([]);
    expect(Object.keys(functions).sort()).toEqual(['is-sale', 'lines', 'price', 'total']);
    for (const { holdsFor, rows: count } of Object.values(functions)) expect([holdsFor, count >= 20]).toEqual(['any', true]);

    await expect(calibrations.start('orders', { memoryMb: [128, 256] })).rejects.toMatchObject({ problem: { code: 'INVALID_BODY' } });
    const little = await calibrations.start('acts');
    const refused = await vi.waitUntil(
      async () => {
        const now = await calibrations.show('acts', little.id);
        return now.state !== 'running' && now;
      },
      { timeout: 60_000, interval: 200 },
    );
    expect(refused).toMatchObject({ state: 'failed', failure: { code: 'NOT_RECORDED' } });
    await controlPlane.close();
  });

  it('are made by a backfill, which can be estimated first without starting anything', async () => {
    const controlPlane = await createControlPlane({ store: platform.store, temporal: platform.client });
    const { backfills } = createClient({ url: controlPlane.url, token: await platform.store.access.createToken('admin', 'admin') });
    const source = await jsonl(stack.folder, 'estimated', [...ORDERS, { id: 'new', country: 'DE', lines: [] }, { id: 'wrong' }]);
    const before = await backfills.list('orders');
    const found = await backfills.dryRun('orders', { source, scope: 'recorded' });
    expect(found).toMatchObject({ dryRun: true, version: 'v1', records: ORDERS.length + 2, known: ORDERS.length, invalid: 1 });
    expect(found.seconds).toBeGreaterThan(0);
    expect(found.costUsd).toBeGreaterThan(0);
    expect(await backfills.dryRun('orders', { source, limit: 5, rate: 0.01 })).toMatchObject({ records: 5, known: 0, seconds: 500 });

    const unmeasured = await backfills.dryRun('acts', { source: await jsonl(stack.folder, 'acts', [{ id: 'a', act: 'pass' }]) });
    expect(unmeasured).toEqual({
      ...{ dryRun: true, pipeline: 'acts', version: 'v1', records: 1, known: 0, invalid: 0 },
      notes: [{ message: expect.stringContaining('measured nothing') }],
    });
    await expect(backfills.dryRun('orders', { source: { kind: 'jsonl', path: '/nowhere.jsonl' } })).rejects.toMatchObject({
      problem: { code: 'INVALID_BODY', errors: [{ pointer: '/source', message: expect.stringContaining('SOURCE_MISSING') }] },
    });
    expect(await backfills.list('orders')).toEqual(before);
    await controlPlane.close();
  });

  describe('shadow', () => {
    const ALL = { compared: SAMPLED.length, different: 0, notComparable: 0, unanswered: [], differences: [] };
    const shadow = (version: string, against = 'v1'): Promise<ShadowReport> =>
      platform.client.workflow.execute('askShadow', {
        taskQueue: 'ask',
        workflowId: randomUUID(),
        args: [{ pipeline: 'orders', version, against, sample: 100 }],
      });
    const SALES = SAMPLED.filter(({ lines }) => lines.length > 0);

    it('finds a version equal that arranges the same functions otherwise, and touches nothing outside', async () => {
      const before = await outside();
      const { version } = await register('orders', fused);
      expect(await shadow(version)).toEqual(ALL);
      expect(await outside()).toEqual(before);
    });

    it('names the record, function and field where the code of a release answers otherwise', async () => {
      const { version } = await register('orders-dearer', asWritten);
      const report = await shadow(version);
      expect(report).toMatchObject({ compared: SAMPLED.length, different: SALES.length, notComparable: 0 });
      expect(report.differences.map(({ key }) => key).sort()).toEqual(SALES.map(({ id }) => id).sort());
      for (const { key, ...difference } of report.differences)
        expect([key, difference]).toEqual([key, { function: 'price', field: 'cents', what: 'answers another value' }]);
    });

    it('catches a wrong write, though nothing is written', async () => {
      const before = await outside();
      const { version } = await register('orders-other-note', asWritten);
      const report = await shadow(version);
      expect(report.different).toBe(SALES.length);
      expect(report.differences[0]).toMatchObject({ function: 'price', field: 'note' });
      // Without what was recorded of the function that makes the note, its arguments still tell.
      await platform.sql.query(`delete from autoflow.recorded_calls where node = 'price'`);
      const { differences } = await shadow(version);
      expect(differences.length).toBe(SALES.length);
      for (const { function: at, what } of differences) expect([at, what]).toEqual(['book', 'writes with other arguments']);
      expect(await outside()).toEqual(before);
    });

    it('does not judge what a read was never asked', async () => {
      await platform.sql.query(`delete from autoflow.recorded_calls where node = 'look-up-rate'`);
      expect(await shadow('v1')).toEqual({
        ...ALL,
        compared: SAMPLED.length - SALES.length,
        notComparable: SALES.length,
        unanswered: [{ function: 'look-up-rate', records: SALES.length }],
      });
      await expect(shadow('v99')).rejects.toMatchObject({ cause: { cause: { type: 'UNKNOWN_PIPELINE' } } });
    });
  });
});
