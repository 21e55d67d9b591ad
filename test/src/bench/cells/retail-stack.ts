import { fileURLToPath } from 'node:url';
import { setUpOrders } from '@autoflow/retail-orders';
import { startBenchPlatform, type BenchPlatform } from '../platform.js';
import { startRates } from '../rates.js';

export interface RetailStack {
  readonly platform: BenchPlatform;
  stop(): Promise<void>;
}

export interface RetailStackOptions {
  /** Temporal on a database file, as a durable stack has it; else in memory. */
  readonly onFile: boolean;
  /** Default: the rate service of the example, with its fixed latency. */
  readonly rates?: () => Promise<{ readonly url: string; stop(): Promise<void> }>;
}

/** The platform with the example deployed as written, its orders database and its rate service. */
export async function startRetailStack({ onFile, rates: start = startRates }: RetailStackOptions): Promise<RetailStack> {
  const rates = await start();
  try {
    const platform = await startBenchPlatform({
      module: fileURLToPath(import.meta.resolve('@autoflow/retail-orders/pipeline')),
      pipeline: 'retail-orders',
      onFile,
      secrets: async (databaseUrl) => {
        await setUpOrders(databaseUrl);
        return { RATES_URL: rates.url, ORDERS_DATABASE_URL: databaseUrl };
      },
    });
    return {
      platform,
      stop: async () => {
        await platform.stop();
        await rates.stop();
      },
    };
  } catch (error) {
    await rates.stop();
    throw error;
  }
}
