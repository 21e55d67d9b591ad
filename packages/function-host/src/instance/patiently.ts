import { setTimeout as after } from 'node:timers/promises';
import { isTerminal } from './failure-of.js';

const WAITS_MS = [100, 500, 2_000, 5_000];

/** Tries again what may work later (a database that is restarting), for some seconds; what is terminal fails at once. */
export async function patiently<T>(work: () => Promise<T>): Promise<T> {
  for (const waitMs of WAITS_MS) {
    try {
      return await work();
    } catch (error) {
      if (isTerminal(error)) throw error;
      await after(waitMs);
    }
  }
  return work();
}
