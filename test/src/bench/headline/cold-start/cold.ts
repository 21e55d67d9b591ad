import { setTimeout as delay } from 'node:timers/promises';
import type { AutoFlowClient } from '@autoflow/client';
import type { Invoices } from '../../cells/invoices.js';
import type { BenchPlatform } from '../../platform.js';
import type { HeadlineConditions } from '../conditions.js';

export const PIPELINE = 'retail-orders';
const POLL_MS = 500;

/** Beside the least cost: p95 no later than the mean of the pipeline as written. */
export interface Objective {
  readonly p95Ms: number;
  readonly p99Ms: number;
}

/** Of an optimization. */
export interface Asked {
  /** The version is to carry so many times the load that it is measured under. */
  readonly times: number;
  /** Undefined: what the measurements of the pipeline as written say. */
  readonly objective?: Objective;
  /** A varying load, by its name: the traffic is what was before it, over and over. Undefined: it is steady. */
  readonly before?: string;
  /** Else it is registered, and no traffic proves it. */
  readonly isRolledOut: boolean;
}

/** What every step of a cold start is given. */
export interface Cold {
  readonly platform: BenchPlatform;
  readonly api: AutoFlowClient;
  readonly conditions: HeadlineConditions;
  readonly asked: Asked;
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
