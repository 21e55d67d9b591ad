import { expect, test } from 'vitest';
import { WhatIf } from '@autoflow/client/schemas';
import type { InvocationRow } from '@autoflow/store';
import { useApi } from '../testing/api.js';
import { filterEarly, RELEASE } from '../testing/parcels.js';

const api = useApi();
const PATH = '/v1/pipelines/parcels/what-if';
const STAGES = ['weigh', 'find-depot', 'is-heavy', 'book'];
const EXECUTIONS = 24;

/** Executions of one record each, one after the other. */
function rows(): InvocationRow[] {
  const begin = Date.now() - 600_000;
  return Array.from({ length: EXECUTIONS }, (_, e) =>
    STAGES.map((stage, s): InvocationRow => {
      const durationMs = 10 + ((e + s) % 3);
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
        cpuMs: 3,
        runQueueMs: 0,
        peakMemoryMb: 70,
        memoryMb: 1024,
        enforcement: 'soft',
        recordsIn: 1,
        recordsOut: 1,
        filtered: 0,
        dead: 0,
        retried: 0,
        bytesIn: 500,
        bytesOut: 540,
        outcome: 'ok',
        costUsd: 1e-6,
        spans: [{ node: stage, recordsIn: 1, recordsOut: 1, filtered: 0, dead: 0, retried: 0, wallMs: durationMs - 2, cpuMs: 2 }],
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
