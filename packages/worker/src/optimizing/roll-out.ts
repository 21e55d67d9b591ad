import { StoreError } from '@autoflow/store';
import { mayAct } from '@autoflow/topology/autonomy';
import { exploredUsd } from '../rollout/harm.js';
import { goOn, stop, type Job, type OptimizingPorts, type Outcome } from './job.js';

/** As far as autonomy allows: by default, people decide. */
export async function rollOut({ store, rollouts }: OptimizingPorts, { row: { id, pipeline, registered } }: Job): Promise<Outcome> {
  const version = registered!;
  const spentUsd = await exploredUsd(pipeline, store);
  const verdict = mayAct((await store.settings.get(pipeline))!, new Date(), { kind: 'canary', version, spentUsd });
  if (!verdict.allowed) return { decision: stop('NOT_ALLOWED', `${version} waits for a person to roll it out. ${verdict.reason}`) };
  if (rollouts === undefined) return { decision: stop('NOT_ALLOWED', `${version} waits for a person to make it stable.`) };
  try {
    const { rollout } = await rollouts.start({ pipeline, version, reason: `optimization ${id}` });
    return { set: { rollout }, decision: goOn(`Rollout ${rollout} of ${version} has begun.`) };
  } catch (error) {
    if (!(error instanceof StoreError) || !REFUSALS.includes(error.code)) throw error;
    return { decision: stop('NOT_ALLOWED', `${version} is not rolled out now: ${error.message}`) };
  }
}

/** Another one is under way, or this version may not be rolled out: neither is a failure. */
const REFUSALS: readonly string[] = ['ROLLOUT_ACTIVE', 'ROLLOUT_REFUSED'];
