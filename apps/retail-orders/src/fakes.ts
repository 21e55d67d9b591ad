import { fake } from '@autoflow/pipeline/testing';
import { ratesOn } from './rates/rate-table.js';
import { exchangeRates } from './resources/exchange-rates.js';
import { ordersDatabase, type OrdersDatabase } from './resources/orders-database.js';
import { CUSTOMER_IDS } from './setup.js';

/** The rate service without its latency, and a database in memory: `testPipeline(retailOrders, samples, { fakes: fakes() })`. */
export const fakes = (database: OrdersDatabase = new MemoryOrders()) => [
  fake(exchangeRates, { on: async (day, currencies) => ratesOn(day, currencies) }),
  fake(ordersDatabase, database),
];

/** Knows the two statements of this pipeline. `orders` are the rows as stored, by idempotency key. */
export class MemoryOrders implements OrdersDatabase {
  readonly orders = new Map<string, { readonly idempotency_key: string; readonly invoice_no: string; readonly total_pence: number }>();

  async query<Row>(sql: string, [parameter]: readonly unknown[]): Promise<Row[]> {
    if (sql.startsWith('select'))
      return (parameter as number[])
        .filter(isCustomer)
        .map((id) => ({ id, name: `Customer ${id}`, segment: 'retail', since: '2010-01-01' }) as Row);
    for (const row of JSON.parse(parameter as string)) this.orders.set(row.idempotency_key, row);
    return [];
  }
  async close(): Promise<void> {}
}

const isCustomer = (id: number): boolean => id >= CUSTOMER_IDS.from && id <= CUSTOMER_IDS.to;
