import { hashTopology } from '@autoflow/topology';
import { checkCertificate } from '@autoflow/topology/rewrites';
import { expect, test } from 'vitest';
import { Optimization } from '@autoflow/client/schemas';
import { useApi } from '../testing/api.js';
import { invocations, settle } from '../testing/measured.js';
import { parcelsSpec } from '../testing/parcels.js';

const api = useApi();
const PATH = '/v1/pipelines/parcels/optimizations';
const EXECUTIONS = 60;

/** Every other execution has so many records, the others one. */
const rows = (records: number) =>
  invocations(EXECUTIONS, (e, s) => {
    const n = e % 2 === 0 ? 1 : records;
    const functionCpuMs = 2 + 0.5 * n + 0.1 * ((e + s) % 3);
    return { records: n, durationMs: 8 + 0.7 * n + functionCpuMs, cpuMs: functionCpuMs + 1, functionCpuMs };
  });
const settled = () => settle(api.store, EXECUTIONS);

test('only a dry run there is, and only what is known can be asked', async () => {
  for (const body of [{}, { dryRun: false }, { dryRun: true, proposers: ['oracle'] }, { dryRun: true, times: 2, ratePerSecond: 5 }])
    expect((await api.send('POST', PATH, { body })).problem.code).toBe('INVALID_BODY');
});

test('nothing is proposed from measurements that do not tell enough', async () => {
  const never = await api.send('POST', PATH, { body: { dryRun: true } });
  expect([never.status, never.problem.code]).toEqual([422, 'NOT_IDENTIFIABLE']);

  await settled();
  await api.store.metering.maintain(30);
  await api.store.metering.writeInvocations(rows(1));
  const oneSize = await api.send('POST', PATH, { body: { dryRun: true } });
  expect([oneSize.status, oneSize.problem.code]).toEqual([422, 'NOT_IDENTIFIABLE']);
  expect(oneSize.problem.errors!.some(({ message }) => message.includes('probes of one record'))).toBe(true);
});

test('with several batch sizes it proposes what the checker of certificates passes, and can be registered', async () => {
  await api.store.metering.writeInvocations(
    rows(8).map((row) => ({ ...row, runId: `more-${row.runId}`, executionId: `more-${row.executionId}` })),
  );
  const body = { dryRun: true, ratePerSecond: 5, evaluations: 60 };
  const { json } = await api.send('POST', PATH, { body });
  const found = Optimization.parse(json);
  const { topology: stable } = await api.admin.versions.show('parcels', 'v1');
  expect(found).toMatchObject({ pipeline: 'parcels', version: 'v1', ratePerSecond: 5, error: { throughput: expect.any(Number) } });
  const { topology, allocation, certificate, predicted } = found.proposal!;
  expect(hashTopology(topology)).not.toBe(hashTopology(stable));
  expect(checkCertificate(parcelsSpec, stable, topology, certificate)).toEqual([]);
  expect(predicted.costPer1000.all.mean).toBeLessThan(found.running.predicted!.costPer1000.all.mean);
  expect(found.standing.map(({ proposer }) => proposer)).toEqual(['exhaustive', 'analytic', 'beam', 'annealing', 'greedy', 'random']);
  const { created } = await api.admin.versions.register('parcels', { topology, allocation, note: 'proposed' });
  expect(created).toBe(true);
});
