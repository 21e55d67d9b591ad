import { defineResource } from '@autoflow/pipeline';
import pg from 'pg';

export interface OrdersDatabase {
  query<Row>(sql: string, values: readonly unknown[]): Promise<Row[]>;
  close(): Promise<void>;
}

/** Customers and orders, in Postgres. One connection per instance, so the limit also bounds the connections. */
export const ordersDatabase = defineResource({
  name: 'orders-database',
  secrets: ['ORDERS_DATABASE_URL'],
  limit: { concurrency: 64 },
  open: ({ secret }): OrdersDatabase => {
    const pool = new pg.Pool({ connectionString: secret('ORDERS_DATABASE_URL'), max: 1, application_name: 'retail-orders' });
    pool.on('error', () => undefined); // an idle connection that breaks is replaced by the next query
    return {
      query: async <Row>(sql: string, values: readonly unknown[]) => (await pool.query(sql, [...values])).rows as Row[],
      close: () => pool.end(),
    };
  },
  close: (database) => database.close(),
});
