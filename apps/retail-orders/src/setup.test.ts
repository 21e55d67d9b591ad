import { useTestStack } from '@autoflow/local-stack/testing';
import pg from 'pg';
import { expect, it } from 'vitest';
import { ordersDatabase } from './resources/orders-database.js';
import { storedOrders } from './sink.js';
import { CUSTOMER_IDS, setUpOrders } from './setup.js';
import { lookUpCustomer } from './functions/look-up-customer.js';
import { storeOrder } from './functions/store-order.js';

const stack = useTestStack();
const context = { signal: new AbortController().signal, log: () => undefined, nows: [] };

it('two scopes with the same orders have the same digest', async () => {
  await setUpOrders(stack.databaseUrl);
  const client = new pg.Client({ connectionString: stack.databaseUrl });
  await client.connect();
  for (const [scope, pence] of [
    ['a', 1],
    ['b', 1],
    ['c', 2],
  ])
    await client.query(`insert into retail_orders.orders values ($1, '1', '2011-01-04', 12583, 'retail', 'GBP', $2, $2, 0, '[]')`, [
      `retail-orders/${scope}/1/store-order`,
      pence,
    ]);
  await client.end();
  const [a, b, c, none] = await Promise.all(['a', 'b', 'c', 'none'].map((scope) => storedOrders(stack.databaseUrl, scope)));
  expect(a).toEqual({ rows: 1, digest: expect.stringMatching(/^[0-9a-f]{64}$/) });
  expect(b).toEqual(a);
  expect(c!.digest).not.toBe(a!.digest);
  expect(none!.rows).toBe(0);
});

it('set-up may run twice at once; customers are found by number and orders are stored once', async () => {
  const customers = CUSTOMER_IDS.to - CUSTOMER_IDS.from + 1;
  expect(await Promise.all([setUpOrders(stack.databaseUrl), setUpOrders(stack.databaseUrl)])).toEqual([{ customers }, { customers }]);

  const database = await ordersDatabase.open({ secret: () => stack.databaseUrl, signal: context.signal });
  const asked = [{ customerId: 17850 }, { customerId: null }, { customerId: 1 }, { customerId: 12360 }];
  const known = await lookUpCustomer.definition.handleBatch!(asked, { ...context, database });
  expect(known).toEqual([
    { customer: { name: 'Customer 17850', segment: 'retail', since: expect.stringMatching(/^20\d\d-/) } },
    { customer: null },
    { customer: null },
    { customer: { name: 'Customer 12360', segment: 'wholesale', since: expect.stringMatching(/^20\d\d-/) } },
  ]);

  const order = {
    InvoiceNo: '536370',
    day: '2010-12-01',
    customerId: 12583,
    customer: null,
    currency: 'EUR',
    rateMicros: 1_152_500,
    riskPermille: 3,
    revenue: [
      { category: 'goods', pence: 900, lines: 1, worth: 1 },
      { category: 'shipping', pence: 100, lines: 1, worth: 1 },
    ],
  };
  for (const attempt of [1, 2])
    expect(
      await storeOrder.definition.handleBatch!([order, order], { ...context, database, keys: ['a', 'b'] }),
      `attempt ${attempt}`,
    ).toEqual([
      { totalPence: 1000, totalMinor: 1153 },
      { totalPence: 1000, totalMinor: 1153 },
    ]);
  await ordersDatabase.close!(database);

  const client = new pg.Client({ connectionString: stack.databaseUrl });
  await client.connect();
  const { rows } = await client.query(
    'select idempotency_key, invoice_no, day::text, segment, total_pence, total_minor, revenue from retail_orders.orders where idempotency_key in ($1, $2) order by 1',
    ['a', 'b'],
  );
  await client.end();
  const stored = {
    invoice_no: '536370',
    day: '2010-12-01',
    segment: 'new',
    total_pence: '1000',
    total_minor: '1153',
    revenue: order.revenue,
  };
  expect(rows).toEqual([
    { idempotency_key: 'a', ...stored },
    { idempotency_key: 'b', ...stored },
  ]);
});
