import type { Topology } from '@autoflow/topology';
import type { Batching, Objective } from '../problem.js';

const SIZES = [2, 5, 10, 20, 50, 100, 200, 500];
const LINGERS_MS = [5, 10, 20, 50, 100, 200, 500, 1000, 2000];

/**
 * The batching there is, no batching, and every size that fills within a permissible linger at this rate, with the least linger that fills it. What
 * would linger longer than the guardrail of a rollout lets it (`rolloutP95Ms`) waits as long as it may, and is full where there is a backlog.
 */
export function batchingsFor(
  { batch, lingerMs }: Topology,
  ratePerSecond: number,
  { p95Ms = Number.POSITIVE_INFINITY, p99Ms = Number.POSITIVE_INFINITY }: Objective,
  rolloutP95Ms = Number.POSITIVE_INFINITY,
): Batching[] {
  // A record waits for its batch up to the whole linger; half of the limit is for the work itself.
  const longest = Math.min(LINGERS_MS.at(-1)!, p95Ms / 2, p99Ms / 2);
  const inRollout = LINGERS_MS.findLast((rung) => rung <= Math.min(longest, rolloutP95Ms / 2));
  const filling = SIZES.flatMap((records): Batching[] => {
    const linger = LINGERS_MS.find((rung) => rung >= ((records - 1) / ratePerSecond) * 1000);
    if (linger === undefined || linger > longest) return [];
    if (linger <= rolloutP95Ms / 2) return [{ records, lingerMs: linger }];
    return inRollout === undefined ? [] : [{ records, lingerMs: inRollout }];
  });
  const all = [{ records: batch.records, lingerMs }, { records: 1, lingerMs: 0 }, ...filling];
  return [...new Map(all.map((one) => [`${one.records}/${one.lingerMs}`, one])).values()];
}
