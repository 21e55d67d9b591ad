import { setTimeout as delay } from 'node:timers/promises';
import type { AutoFlowClient } from '@autoflow/client';
import type { Invoices } from '../../cells/invoices.js';
import type { BenchPlatform } from '../../platform.js';
import type { HeadlineConditions } from '../conditions.js';

export const PIPELINE = 'retail-orders';
const POLL_MS = 500;

/** What every step of a cold start is given. */
export interface Cold {
  readonly platform: BenchPlatform;
  readonly api: AutoFlowClient;
  readonly conditions: HeadlineConditions;
  readonly load: Invoices;
  readonly progress: (line: string) => void;
}

/** Looks until it is so. */
export async function ended<T>(look: () => Promise<T>, is: (one: T) => boolean): Promise<T> {
  for (;;) {
    const one = await look();
    if (is(one)) return one;
    await delay(POLL_MS);
  }
}
