/** Creates what the example needs in its own database: `ORDERS_DATABASE_URL=… node dist/setup.js`. */
import { pathToFileURL } from 'node:url';
import pg from 'pg';

/** The customer numbers of the retailer's file lie in this range. */
export const CUSTOMER_IDS = { from: 12_346, to: 18_287 } as const;

/**
 * Makes the schema `retail_orders` with a customer for every number of the range, and an empty table of orders. Safe to run again
 * and at the same time: what is there stays. Answers how many customers there are.
 */
export async function setUpOrders(databaseUrl: string): Promise<{ customers: number }> {
  const client = new pg.Client({ connectionString: databaseUrl, application_name: 'retail-orders set-up' });
  await client.connect();
  try {
    await client.query('begin');
    await client.query(`select pg_advisory_xact_lock(hashtext('retail_orders set-up'))`);
    await client.query(TABLES);
    await client.query(CUSTOMERS, [CUSTOMER_IDS.from, CUSTOMER_IDS.to]);
    await client.query('commit');
    await client.query('analyze retail_orders.customers');
    const { rows } = await client.query<{ customers: number }>('select count(*)::int as customers from retail_orders.customers');
    return { customers: rows[0]?.customers ?? 0 };
  } finally {
    await client.end();
  }
}

const TABLES = `
  create schema if not exists retail_orders;
  create table if not exists retail_orders.customers (
    id int primary key,
    name text not null,
    segment text not null,
    since date not null
  );
  create table if not exists retail_orders.orders (
    idempotency_key text primary key,
    invoice_no text not null,
    day date not null,
    customer_id int not null,
    segment text not null,
    currency text not null,
    total_pence bigint not null,
    total_minor bigint not null,
    risk_permille int not null,
    revenue jsonb not null
  );`;

/** Made up from the number alone: the same on every machine. */
const CUSTOMERS = `
  insert into retail_orders.customers (id, name, segment, since)
  select id, 'Customer ' || id,
         case when id % 20 = 0 then 'wholesale' when id % 4 = 0 then 'trade' else 'retail' end,
         date '2005-01-01' + (id * 37 % 2100)
  from generate_series($1::int, $2::int) as id
  on conflict (id) do nothing`;

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const url = process.env['ORDERS_DATABASE_URL'];
  if (!url) {
    console.error('ORDERS_DATABASE_URL is not set: give the address of the Postgres database that holds the orders.');
    process.exit(2);
  }
  const { customers } = await setUpOrders(url);
  console.log(`the schema retail_orders is ready: ${customers} customers`);
}
