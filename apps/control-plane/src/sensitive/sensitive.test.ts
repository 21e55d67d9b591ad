import { expect, test } from 'vitest';
import { defineFunction, definePipeline, sensitive, specOf } from '@autoflow/pipeline';
import { z } from 'zod';
import { useApi } from '../testing/api.js';

const api = useApi();
const RELEASE = 'c'.repeat(64);
const fields = z.object({ id: z.string(), iban: sensitive(z.string()) });
const pay = defineFunction('pay', {
  effect: 'pure',
  reads: fields,
  writes: z.object({ paid: z.boolean() }),
  handle: () => ({ paid: true }),
});
const payments = definePipeline('payments', { input: fields, key: 'id', output: fields.extend({ paid: z.boolean() }) }, (p) => pay(p));

test('values of sensitive fields are shown to an admin who asks, and that is told of', async () => {
  await api.admin.pipelines.register({ spec: specOf(payments), release: RELEASE });
  const keys = ['p1', 'p2'];
  await api.store.ledger.open({
    batch: {
      id: 'b1',
      pipeline: 'payments',
      version: 'v1',
      release: RELEASE,
      scope: 'live',
      executionId: 'e1',
      ref: { ref: 'file:b1', bytes: 1, counts: { records: 2, live: 2, filtered: 0, dying: 0 } },
      memoryMb: { pay: [128] },
    },
    records: keys.map((key, index) => ({ index, key, arrivedAt: new Date().toISOString(), fields: { id: key, iban: 'DE99-SECRET' } })),
    replace: false,
  });
  await api.store.ledger.close({
    batchId: 'b1',
    outcomes: [
      { state: 'completed', key: 'p1', output: { id: 'p1', iban: 'DE99-SECRET', paid: true } },
      { state: 'dead', key: 'p2', in: 'pay', code: 'NO', message: 'no' },
    ],
    inputs: new Map(keys.map((key) => [key, { id: key, iban: 'DE99-SECRET' }])),
  });
  const [letter] = (await api.viewer.deadLetters.list('payments')).items;
  for (const client of [api.viewer, api.operator, api.admin]) {
    expect((await client.deadLetters.show('payments', letter!.id)).record).toEqual({ id: 'p2', iban: '[redacted]' });
  }
  for (const client of [api.viewer, api.operator])
    await expect(client.deadLetters.show('payments', letter!.id, { reveal: true })).rejects.toMatchObject({ code: 'FORBIDDEN' });

  expect((await api.admin.deadLetters.show('payments', letter!.id, { reveal: true })).record).toEqual({ id: 'p2', iban: 'DE99-SECRET' });
  const revealed = await api.viewer.events.follow({ types: ['sensitive.revealed'], after: '0-0' }).next();
  expect(revealed.value).toMatchObject({ pipeline: 'payments', data: { actor: 'admin', after: { what: `dead letter ${letter!.id}` } } });
  expect((await api.viewer.audit({ action: 'sensitive.revealed' })).items).toMatchObject([{ actor: 'admin', pipeline: 'payments' }]);
  expect(JSON.stringify((await api.admin.events.list({ limit: 1000 })).items)).not.toContain('SECRET');
});
