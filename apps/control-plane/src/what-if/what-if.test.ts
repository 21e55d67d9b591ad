import { expect, test } from 'vitest';
import { WhatIf } from '@autoflow/client/schemas';
import { useApi } from '../testing/api.js';
import { invocations, settle } from '../testing/measured.js';
import { filterEarly } from '../testing/parcels.js';

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
