/** A rollout is a row first and then a workflow: whoever made the row may have died in between, or found Temporal away. */
import type { Client } from '@temporalio/client';
import type { RolloutRow, Store } from '@autoflow/store';
import { isRolloutRunning, runRollout } from '@autoflow/workflows/runs';
import type { Log } from '../log.js';
import { eachByItself, repeating } from '../repeating.js';
import { charge } from './harm.js';

const EVERY_MS = 15_000;
/** Whoever made the row a moment ago is about to start it. */
const FRESH_MS = 10_000;

interface Ports {
  readonly store: Pick<Store, 'rollouts' | 'comparisons'>;
  readonly client: Client;
  readonly log: Log;
}

export function startRolloutRecovery(ports: Ports): { close(): Promise<void> } {
  return repeating('starting rollouts that nobody runs', EVERY_MS, () => recover(ports), ports.log);
}

/**
 * Any number of processes may do it: a rollout that runs is not started twice, and one that has ended is charged once, whoever ended it. Each by itself. What
 * an ended one has under way ends within minutes: to look each time is enough.
 */
export async function recover(ports: Ports): Promise<void> {
  const { store, log } = ports;
  const failed =
    (what: string) =>
    ({ id, pipeline }: RolloutRow, error: string): void =>
      log('warn', what, { rollout: id, pipeline, error });
  await eachByItself(await store.rollouts.active(), (row) => recoverRollout(row, ports), failed('a rollout was not looked after'));
  await eachByItself(await store.rollouts.uncharged(), (row) => charge(row, store), failed('a rollout was not charged'));
}

async function recoverRollout({ id, pipeline, createdAt }: RolloutRow, { client, log }: Ports): Promise<void> {
  if (Date.now() - createdAt.getTime() < FRESH_MS || (await isRolloutRunning(client, pipeline))) return;
  await runRollout(client, pipeline, id);
  log('warn', 'a rollout that nobody ran was started', { rollout: id, pipeline });
}
