import { testPipeline } from '@autoflow/pipeline/testing';
import { expect, test } from 'vitest';
import { orders } from './orders.js';
import { samples } from './samples.js';

test('orders are added up, and those without lines are dropped', async () => {
  expect(await testPipeline(orders, samples)).toMatchObject([
    { key: '1001', state: 'completed', output: { totalCents: 5_900, freeShipping: true } },
    { key: '1002', state: 'completed', output: { totalCents: 360, freeShipping: false } },
    { key: '1003', state: 'filtered', reason: 'an order without lines' },
  ]);
});
