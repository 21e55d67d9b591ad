/** Decisions expire: what is stable for one workload is looked at again when another one comes. */
import type { Client } from '@temporalio/client';
import type { DecisionRow, Store } from '@autoflow/store';
import type { Log } from '../log.js';
import { eachByItself, repeating } from '../repeating.js';
import { decideAnew } from './deciding-anew.js';
import { driftSince, LOOK_EVERY_MS } from './drifting.js';

interface Ports {
  readonly store: Pick<Store, 'decisions' | 'rollouts' | 'comparisons' | 'definitions' | 'settings' | 'optimizations'>;
  readonly client: Client;
  readonly log: Log;
  /** Whether workers of this kind optimize. */
  readonly optimizes: boolean;
}

export function startExpiry(ports: Ports): { close(): Promise<void> } {
  return repeating('looking for workloads that have drifted', LOOK_EVERY_MS, () => expireDecisions(ports), ports.log);
}

/** Any number of processes may do it: a decision expires once, and one optimization at a time makes it anew. */
export async function expireDecisions(ports: Ports): Promise<void> {
  const { decisions, definitions } = ports.store;
  await eachByItself(
    await definitions.pipelines(),
    async ({ name, stable }) => {
      const before = await decisions.current(name);
      if (before === undefined) return;
      if (before.expiredAt === undefined) await expireDrifted(before, stable.version, ports);
      const decision = await decisions.current(name);
      if (decision?.expiredAt !== undefined && ports.optimizes) await decideAnew(decision, decision.expiredAt, ports);
    },
    ({ name }, error) => ports.log('warn', 'whether a workload has drifted could not be told', { pipeline: name, error }),
  );
}

/** It is said of the version that carries the decision now. */
async function expireDrifted(decision: DecisionRow, version: string, { store, log }: Ports): Promise<void> {
  const { reasons } = await driftSince(decision, store);
  if (reasons.length === 0) return;
  const { pipeline } = decision;
  const reason = `the workload has drifted: ${reasons.join('; ')}`;
  if (await store.decisions.expire(pipeline, version, { actor: 'drift detector', reason }))
    log('info', 'a decision has expired', { pipeline, version, reason });
}
