import { createHash } from 'node:crypto';
import type { Client } from '@temporalio/client';
import type { Store } from '@autoflow/store';
import { ROLLOUT_DEFAULTS, type RolloutSettings } from '@autoflow/topology';
import { runRollout } from '@autoflow/workflows/runs';

/** Starts rollouts in the name of AutoFlow: they go as far as the autonomy of the pipeline lets them, for what its objective says. */
export function rolloutStarter({ store, client }: { readonly store: Pick<Store, 'rollouts' | 'settings'>; readonly client: Client }) {
  return {
    async start({ pipeline, version, reason }: { readonly pipeline: string; readonly version: string; readonly reason: string }) {
      // Asked for again, it is the one there is.
      const id = `ro-${createHash('sha256').update(`${pipeline}/${version}/${reason}`).digest('hex').slice(0, 12)}`;
      const metric = (await store.settings.get(pipeline))?.objective?.minimise ?? ROLLOUT_DEFAULTS.metric;
      const settings: RolloutSettings = { ...ROLLOUT_DEFAULTS, metric };
      await store.rollouts.create({ id, pipeline, version, own: true, settings }, { actor: 'optimizer', reason });
      await runRollout(client, pipeline, id);
      return { rollout: id };
    },
  };
}
