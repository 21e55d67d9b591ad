import type { OptimizationRow } from '@autoflow/store';
import { mayAct } from '@autoflow/topology/autonomy';
import type { OptimizingPorts } from './job.js';

/** Who optimizations are asked for by that nobody has asked for: those of a schedule, and of decisions that have expired. */
export const SCHEDULE = 'schedule';

/** Why nothing that it proposes may be registered. What people ask for is theirs to have. */
export async function whyForbidden(
  { store }: { readonly store: Pick<OptimizingPorts['store'], 'settings'> },
  { pipeline, actor }: Pick<OptimizationRow, 'pipeline' | 'actor'>,
): Promise<string | undefined> {
  if (actor !== SCHEDULE) return undefined;
  const verdict = mayAct((await store.settings.get(pipeline))!, new Date(), { kind: 'propose' });
  return verdict.allowed ? undefined : verdict.reason;
}
