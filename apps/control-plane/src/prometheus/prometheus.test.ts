import { expect, test } from 'vitest';
import { useApi } from '../testing/api.js';

const api = useApi();

test('Prometheus reads this process and every pipeline, with a token', async () => {
  await api.store.ledger.open({
    batch: {
      id: 'open',
      pipeline: 'parcels',
      version: 'v1',
      release: 'a'.repeat(64),
      scope: 'live',
      executionId: 'e',
      ref: { ref: 'file:open', bytes: 1, counts: { records: 1, live: 1, filtered: 0, dying: 0 } },
      memoryMb: { weigh: [128] },
    },
    records: [{ index: 0, key: 'k', arrivedAt: new Date().toISOString(), fields: {} }],
    replace: false,
  });
  await api.store.ledger.close({ batchId: 'open', outcomes: [{ state: 'completed', key: 'k', output: {} }], inputs: new Map() });
  const waiting = ['w1', 'w2'].map((key) => ({ key, record: { id: key }, digest: 'd'.repeat(64), bytes: 10 }));
  await api.store.inbox.accept({ pipeline: 'parcels', scope: 'live', records: waiting });
  const token = await api.store.access.createToken('prometheus', 'viewer');
  const answer = await fetch(`${api.url}/metrics`, { headers: { authorization: `Bearer ${token}` } });
  const text = await answer.text();
  expect([answer.status, answer.headers.get('content-type')]).toEqual([200, expect.stringContaining('text/plain')]);
  expect(text).toMatch(/^process_resident_memory_bytes \d+/m);
  expect(text).toMatch(/^autoflow_pipelines 1$/m);
  expect(text).toMatch(/^autoflow_open_executions\{pipeline="parcels"\} 0$/m);
  expect(text).toMatch(/^autoflow_inbox_records\{pipeline="parcels"\} 2$/m);
  expect(text).toMatch(/^autoflow_inbox_bytes\{pipeline="parcels"\} 20$/m);
  expect(text).toMatch(/^autoflow_inbox_oldest_seconds\{pipeline="parcels"\} [\d.]+$/m);
  expect(text).toMatch(/^autoflow_records_recent\{pipeline="parcels",version="v1"\} 1$/m);
  expect(text).toMatch(/^autoflow_latency_seconds\{pipeline="parcels",version="v1",quantile="0.99"\} [\d.]+$/m);
  expect((await fetch(`${api.url}/metrics`)).status).toBe(401);
});
