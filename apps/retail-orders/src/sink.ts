import pg from 'pg';

/**
 * What `store-order` has written for the records of one scope: how many rows, and a digest over all that they hold but the key.
 * Two scopes with the same invoices must agree in both.
 */
export async function storedOrders(databaseUrl: string, scope: string): Promise<{ rows: number; digest: string }> {
  const client = new pg.Client({ connectionString: databaseUrl, application_name: 'retail-orders check' });
  await client.connect();
  try {
    const { rows } = await client.query<{ rows: number; digest: string }>(COUNT, [`retail-orders/${scope}/`]);
    return rows[0] ?? { rows: 0, digest: '' };
  } finally {
    await client.end();
  }
}

const COUNT = `
  select count(*)::int as rows,
         encode(sha256(convert_to(coalesce(string_agg((to_jsonb(o) - 'idempotency_key')::text, e'\\n' order by invoice_no collate "C"), ''), 'UTF8')), 'hex') as digest
    from retail_orders.orders o where starts_with(idempotency_key, $1)`;
