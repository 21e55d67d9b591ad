/** Of an order: what its releases share. Tables `rates`, `asked` and `booked` (see `replay.test.ts`). */
import { defineExpand, defineFilter, defineFunction, defineReduce, defineResource } from '@autoflow/pipeline';
import pg from 'pg';
import { z } from 'zod';

export const Order = z.object({
  id: z.string(),
  country: z.string(),
  lines: z.array(z.object({ sku: z.string(), cents: z.int() })),
});
export const Priced = z.object({ id: z.string(), country: z.string(), cents: z.int() });

const database = defineResource({
  name: 'orders-database',
  secrets: ['TEST_DATABASE_URL'],
  open: ({ secret }) => {
    const pool = new pg.Pool({ connectionString: secret('TEST_DATABASE_URL'), max: 1 });
    pool.on('error', () => undefined);
    return pool;
  },
  close: (pool) => pool.end(),
});

export const lines = defineExpand('lines', {
  reads: Order.pick({ lines: true }),
  writes: z.object({ sku: z.string(), lineCents: z.int() }),
  children: (order) => order.lines.map(({ sku, cents }) => ({ sku, lineCents: cents })),
});

export const total = defineReduce('total', {
  reads: z.object({ lineCents: z.int() }),
  into: 'total',
  zero: { cents: 0 },
  add: (sum, { lineCents }) => ({ cents: sum.cents + lineCents }),
  merge: (a, b) => ({ cents: a.cents + b.cents }),
});

export const isSale = defineFilter('is-sale', {
  reads: z.object({ total: z.object({ cents: z.int() }) }),
  keep: ({ total: { cents } }) => cents > 0 || 'nothing to pay',
});

/** Each question leaves a row in `asked`. */
export const lookUpRate = defineFunction('look-up-rate', {
  effect: 'read',
  uses: { database },
  reads: Order.pick({ country: true }),
  writes: z.object({ rate: z.number() }),
  async handle({ country }, { database }) {
    await database.query('insert into asked values ($1)', [country]);
    const { rows } = await database.query<{ rate: number }>('select rate from rates where country = $1', [country]);
    return { rate: rows[0]?.rate ?? 1 };
  },
});

export const book = defineFunction('book', {
  effect: 'idempotent-write',
  uses: { database },
  reads: z.object({ id: z.string(), cents: z.int(), note: z.string() }),
  writes: z.object({ booked: z.boolean() }),
  async handle({ id, cents, note }, { database, keys }) {
    await database.query('insert into booked values ($1, $2, $3, $4) on conflict do nothing', [keys[0], id, cents, note]);
    return { booked: true };
  },
});

export const Receipt = z.object({ id: z.string(), cents: z.int(), booked: z.boolean() });
export const Rated = z.object({ country: z.string(), total: z.object({ cents: z.int() }), rate: z.number() });
export const Noted = z.object({ cents: z.int(), note: z.string() });
