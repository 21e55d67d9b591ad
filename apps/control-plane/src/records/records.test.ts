import { beforeAll, expect, test } from 'vitest';
import { AuditPage, DeadLetter, DeadLetterPage, MetricsReport, ScopeDigest } from '@autoflow/client/schemas';
import type { Outcome } from '@autoflow/pipeline';
import { useApi } from '../testing/api.js';
import { RELEASE } from '../testing/parcels.js';

const api = useApi();
const PIPELINE = '/v1/pipelines/parcels';

const OUTCOMES: readonly Outcome[] = [
  { state: 'completed', key: 'a/1', output: { id: 'a/1', booked: true } },
  { state: 'filtered', key: 'b', by: 'is-heavy', reason: 'a letter' },
  { state: 'dead', key: 'c', in: 'find-depot', code: 'TOWN_UNKNOWN', message: 'there is no town Atlantis' },
  { state: 'dead', key: 'd', in: 'book', code: 'FULL', message: 'the depot is full' },
];

/** As an execution would leave it. */
async function settled(scope: string): Promise<void> {
  const id = `batch-${scope}`;
  const arrivedAt = new Date().toISOString();
  const records = OUTCOMES.map(({ key }, index) => ({ index, key, arrivedAt, fields: { id: key, grams: 2000, town: 'Delft' } }));
  const ref = { ref: `file:${id}`, bytes: 1, counts: { records: 4, live: 4, filtered: 0, dying: 0 } };
  await api.store.ledger.open({
    batch: { id, pipeline: 'parcels', version: 'v1', release: RELEASE, scope, executionId: id, ref, memoryMb: {} },
    records,
    replace: false,
  });
  await api.store.ledger.close({ batchId: id, outcomes: OUTCOMES, inputs: new Map(records.map(({ key, fields }) => [key, fields])) });
}

beforeAll(async () => {
  await settled('live');
  await settled('again');
});

test('equal outcomes have equal digests', async () => {
  const live = ScopeDigest.parse((await api.send('GET', `${PIPELINE}/digest?scope=live`)).json);
  expect(live.counts).toEqual({ completed: 1, filtered: 1, dead: 2, cancelled: 0 });
  expect((await api.viewer.pipelines.digest('parcels', 'again')).digest).toBe(live.digest);
  expect((await api.viewer.pipelines.digest('parcels', 'nothing')).digest).not.toBe(live.digest);
});

test('dead letters are listed newest first, filtered by code, and shown with their record', async () => {
  const page = DeadLetterPage.parse((await api.send('GET', `${PIPELINE}/dead-letters?limit=3`)).json);
  const rest = await api.viewer.deadLetters.list('parcels', { limit: 3, cursor: page.next! });
  expect([...page.items, ...rest.items]).toHaveLength(4);
  const [full] = (await api.viewer.deadLetters.list('parcels', { code: 'FULL', scope: 'live' })).items;
  const letter = DeadLetter.parse((await api.send('GET', `${PIPELINE}/dead-letters/${full!.id}`)).json);
  expect(letter).toMatchObject({ key: 'd', in: 'book', code: 'FULL', version: 'v1', release: RELEASE, record: { id: 'd', grams: 2000 } });
});

test('metrics are answered for a window', async () => {
  const report = MetricsReport.parse((await api.send('GET', `${PIPELINE}/metrics?by=stage&since=15m`)).json);
  expect(Date.parse(report.to) - Date.parse(report.from)).toBe(900_000);
  const versions = await api.viewer.pipelines.metrics('parcels', { since: '1h' });
  expect(versions.rows).toMatchObject([{ version: 'v1', records: expect.any(Number) }]);
});

test('the audit log is read page by page', async () => {
  const first = AuditPage.parse((await api.send('GET', '/v1/audit?limit=2')).json);
  const next = await api.viewer.audit({ limit: 2, cursor: first.next! });
  expect(first.items.at(-1)!.id).toBeGreaterThan(next.items[0]!.id);
});

test.each([
  ['dead-letters/999999', 404, 'DEAD_LETTER_UNKNOWN'],
  ['dead-letters/x', 404, 'DEAD_LETTER_UNKNOWN'],
  ['dead-letters?cursor=x', 400, 'INVALID_PARAMETER'],
  ['metrics?by=moon', 400, 'INVALID_PARAMETER'],
  ['metrics?since=soon', 400, 'INVALID_PARAMETER'],
  ['metrics?since=1h&from=2026-01-01T00:00:00Z', 400, 'INVALID_PARAMETER'],
  ['metrics?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z', 400, 'INVALID_PARAMETER'],
])('GET %s is %i %s', async (path, status, code) => {
  const answer = await api.send('GET', `${PIPELINE}/${path}`);
  expect([answer.status, answer.problem.code]).toEqual([status, code]);
});

test.each(['digest', 'dead-letters', 'dead-letters/1', 'metrics'])('GET %s of an unknown pipeline is not found', async (path) => {
  expect((await api.send('GET', `/v1/pipelines/nothing/${path}`)).problem.code).toBe('PIPELINE_UNKNOWN');
});
