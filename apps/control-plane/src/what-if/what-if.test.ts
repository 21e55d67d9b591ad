import { expect, test } from 'vitest';
import { WhatIf } from '@autoflow/client/schemas';
import { asWritten, defaultAllocation, defaultEnvelope } from '@autoflow/topology';
import { useApi } from '../testing/api.js';
import { invocations, settle } from '../testing/measured.js';
import { filterEarly, parcelsSpec } from '../testing/parcels.js';

const api = useApi();
const PATH = '/v1/pipelines/parcels/what-if';
const EXECUTIONS = 24;

/** Of one record each. */
const rows = () => invocations(EXECUTIONS, (e, s) => ({ records: 1, durationMs: 10 + ((e + s) % 3), cpuMs: 3, functionCpuMs: 2 }));
const settled = () => settle(api.store, EXECUTIONS);

test('without measurements it says so', async () => {
  const refused = await api.send('POST', PATH, { body: { times: 4 } });
  expect([refused.status, refused.problem.code]).toEqual([422, 'NOT_IDENTIFIABLE']);
  expect(refused.problem.errors![0]!.message).toContain('Let it run first');
});

test('one rate, neither none nor two', async () => {
  for (const body of [{}, { times: 2, ratePerSecond: 5 }, { times: -1 }])
    expect((await api.send('POST', PATH, { body })).problem.code).toBe('INVALID_BODY');
});

test('with them it answers, its own error beside it, and refuses what they do not tell', async () => {
  await settled();
  await api.store.metering.maintain(30);
  await api.store.metering.writeInvocations(rows());
  const found = WhatIf.parse((await api.send('POST', PATH, { body: { ratePerSecond: 5 } })).json);
  expect(found).toMatchObject({ pipeline: 'parcels', version: 'v1', ratePerSecond: 5, running: { version: 'v1' } });
  expect(found.predicted.throughput.mean).toBeGreaterThan(4);
  expect(found.predicted.latencyMs.p95.mean).toBeGreaterThan(40);
  expect(found.error).toEqual({ throughput: expect.any(Number), p95: expect.any(Number), costPer1000: expect.any(Number) });
  expect(found.notes.map(({ code }) => code)).toContain('ONE_BATCH_SIZE');

  const { version } = await api.admin.versions.register('parcels', { topology: filterEarly });
  const refused = await api.send('POST', PATH, { body: { times: 4, version: version.name } });
  expect([refused.status, refused.problem.code]).toEqual([422, 'NOT_IDENTIFIABLE']);
  expect(refused.problem.errors!.some(({ message }) => message.includes('probes of one record'))).toBe(true);
});

test('it answers for an allocation, which has to be one of the version', async () => {
  const one = { memoryMb: 1024, concurrency: 1 };
  const ask = (each: object, ratePerSecond: number, book: object = {}) => {
    const stages = { weigh: each, 'find-depot': each, 'is-heavy': each, book: { ...each, ...book } };
    return api.send('POST', PATH, { body: { ratePerSecond, stages, cores: 16 } });
  };
  const predicted = async (...question: Parameters<typeof ask>) => WhatIf.parse((await ask(...question)).json).predicted;
  const [narrow, wide] = [await predicted(one, 200), await predicted({ ...one, concurrency: 3 }, 200)];
  // Some 11 ms a record in one instance, and 200 that arrive.
  expect(narrow.throughput.mean).toBeLessThan(110);
  expect(wide.throughput.mean).toBeGreaterThan(150);
  const [dear, cheap] = [await predicted({ ...one, memoryMb: 1769 }, 5), await predicted(one, 5)];
  expect(dear.costPer1000.withoutActions.mean).toBeGreaterThan(1.2 * cheap.costPer1000.withoutActions.mean);

  const refused = await ask(one, 5, { memoryMb: 5 });
  expect([refused.status, refused.problem.code]).toEqual([422, 'ALLOCATION_OUT_OF_BOUNDS']);
  expect(refused.problem.errors!.map(({ pointer }) => pointer)).toEqual(['/stages/book/memoryMb']);
});

test('what a function did in another release counts where its hash is the same', async () => {
  const own = { weigh: 'w', 'find-depot': 'f', 'is-heavy': 'h', book: 'b' };
  const registered = async (hash: string, functions: { [node: string]: string }) => {
    const topology = asWritten(parcelsSpec);
    const envelope = defaultEnvelope(parcelsSpec, topology);
    const { version } = await api.store.definitions.registerRelease({
      release: { pipeline: 'parcels', hash: hash.repeat(64), spec: parcelsSpec, functions },
      ...{ topology, envelope, allocation: defaultAllocation(parcelsSpec, topology, envelope), by: { actor: 'test', reason: 'a test' } },
    });
    return version.name;
  };
  const ask = (version: string) => api.send('POST', PATH, { body: { ratePerSecond: 5, version } });
  await registered('b', own);
  const [same, changed] = [await registered('c', own), await registered('d', { ...own, book: 'b2' })];
  expect((await ask(same)).problem.code).toBe('NOT_IDENTIFIABLE');
  await api.store.metering.writeInvocations(rows().map((row) => ({ ...row, runId: `b-${row.runId}`, release: 'b'.repeat(64) })));
  expect(WhatIf.parse((await ask(same)).json)).toMatchObject({ version: same });
  const refused = await ask(changed);
  expect(refused.problem.errors!.map(({ message }) => message.split(' ')[0])).toContain(`'book'`);
  expect(refused.problem.errors!.some(({ message }) => message.includes('weigh'))).toBe(false);
});

test('a load that came in bursts comes in bursts at another rate too', async () => {
  const p95 = async () => WhatIf.parse((await api.send('POST', PATH, { body: { ratePerSecond: 5 } })).json).predicted.latencyMs.p95.mean;
  const before = await p95();
  await settle(api.store, 120, '-bursts', (e) => 60_000 - 15_000 * Math.floor(e / 30));
  expect(await p95()).toBeGreaterThan(2 * before);
});
