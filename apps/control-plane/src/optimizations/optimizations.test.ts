import { hashTopology } from '@autoflow/topology';
import { checkCertificate } from '@autoflow/topology/rewrites';
import { expect, test } from 'vitest';
import { Optimization } from '@autoflow/client/schemas';
import type { InvocationRow } from '@autoflow/store';
import { useApi } from '../testing/api.js';
import { parcelsSpec, RELEASE } from '../testing/parcels.js';

const api = useApi();
const PATH = '/v1/pipelines/parcels/optimizations';
const STAGES = ['weigh', 'find-depot', 'is-heavy', 'book'];
const EXECUTIONS = 60;

/** Executions one after the other, every other one of so many records. */
function rows(records: number): InvocationRow[] {
  const begin = Date.now() - 600_000;
  return Array.from({ length: EXECUTIONS }, (_, e) =>
    STAGES.map((stage, s): InvocationRow => {
      const n = e % 2 === 0 ? 1 : records;
      const cpuMs = 2 + 0.5 * n + 0.1 * ((e + s) % 3);
      const durationMs = 8 + 0.7 * n + cpuMs;
      return {
        runId: `run-${e}`,
        activityId: `${s}`,
        attempt: 1,
        executionId: `e-${e}`,
        pipeline: 'parcels',
        release: RELEASE,
        version: 'v1',
        stage,
        scope: 'live',
        batchId: `b-${e}`,
        host: 'host-1',
        startedAt: new Date(begin + e * 1000 + s * 30),
        queueMs: 5,
        gateMs: 0,
        cold: false,
        coldStartMs: 0,
        durationMs,
        cpuMs: cpuMs + 1,
        runQueueMs: 0,
        peakMemoryMb: 70,
        memoryMb: 1024,
        enforcement: 'soft',
        recordsIn: n,
        recordsOut: n,
        filtered: 0,
        dead: 0,
        retried: 0,
        bytesIn: 500 * n,
        bytesOut: 540 * n,
        outcome: 'ok',
        costUsd: 1e-6,
        spans: [{ node: stage, recordsIn: n, recordsOut: n, filtered: 0, dead: 0, retried: 0, wallMs: durationMs - 2, cpuMs }],
      };
    }),
  ).flat();
}

/** Each with its outcome, as its execution would have left it. */
async function settled(): Promise<void> {
  for (let e = 0; e < EXECUTIONS; e++) {
    const key = `p-${e}`;
    const fields = { id: key, grams: 2000, town: 'Delft' };
    await api.store.ledger.open({
      batch: {
        id: `b-${e}`,
        pipeline: 'parcels',
        version: 'v1',
        release: RELEASE,
        scope: 'live',
        executionId: `e-${e}`,
        ref: { ref: `file:${e}`, bytes: 500, counts: { records: 1, live: 1, filtered: 0, dying: 0 } },
        memoryMb: {},
      },
      records: [{ index: 0, key, arrivedAt: new Date(Date.now() - 200).toISOString(), input: fields, fields }] as never,
      replace: false,
    });
    await api.store.ledger.close({
      batchId: `b-${e}`,
      outcomes: [{ key, state: 'completed', output: { id: key, booked: true } }] as never,
      inputs: new Map(),
    });
  }
}

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
