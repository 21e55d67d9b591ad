/** A rollout is a row first and then a workflow: whoever made the row may have died in between, or found Temporal away. */
import type { Client } from '@temporalio/client';
import type { Store } from '@autoflow/store';
import { isRolloutRunning, runRollout } from '@autoflow/workflows/runs';
import type { Log } from '../log.js';
import { repeating } from '../repeating.js';
import { charge } from './harm.js';

const EVERY_MS = 15_000;
/** Whoever made the row a moment ago is about to start it. */
const FRESH_MS = 10_000;

interface Ports {
  readonly store: Pick<Store, 'rollouts' | 'comparisons'>;
  readonly client: Client;
  readonly log: Log;
}

/** Any number of processes may do it: a rollout that runs is not started twice, and one that has ended is charged once. */
export function startRolloutRecovery(ports: Ports): { close(): Promise<void> } {
  return repeating('starting rollouts that nobody runs', EVERY_MS, () => recover(ports), ports.log);
}

async function recover(ports: Ports): Promise<void> {
  await recoverRollouts(ports);
  await chargeRollouts(ports.store);
}

/** One that somebody ended by moving the traffic, or whose workflow could not tell: exploration is paid for, whoever ended it. */
export async function chargeRollouts(store: Ports['store']): Promise<void> {
  for (const row of await store.rollouts.uncharged()) if (Date.now() - row.endedAt!.getTime() >= FRESH_MS) await charge(row, store);
}

async function recoverRollouts({ store, client, log }: Ports): Promise<void> {
  const rows = await store.rollouts.active();
  for (const { id, pipeline, createdAt } of rows) {
    if (Date.now() - createdAt.getTime() < FRESH_MS || (await isRolloutRunning(client, pipeline))) continue;
    await runRollout(client, pipeline, id);
    log('warn', 'a rollout that nobody ran was started', { rollout: id, pipeline });
  }
}
