import type { Topology } from '@autoflow/topology';
import { ratePeak, rateSeen, type Load } from '@autoflow/twin';
import type { Batching, Objective } from '../problem.js';

const SIZES = [2, 5, 10, 20, 50, 100, 200, 500];
const LINGERS_MS = [5, 10, 20, 50, 100, 200, 500, 1000, 2000];

/**
 * The batching there is, no batching, every size that fills within a permissible linger at the rate that records see, with the least linger that fills it,
 * and with the longest those that only a burst fills and the next larger one, which holds all that comes meanwhile. What would linger longer than the
 * guardrail of a rollout lets it (`rolloutP95Ms`) waits as long as it may, and is full where there is a backlog.
 */
export function batchingsFor(
  { batch, lingerMs }: Topology,
  load: Load,
  { p95Ms = Number.POSITIVE_INFINITY, p99Ms = Number.POSITIVE_INFINITY }: Objective,
  rolloutP95Ms = Number.POSITIVE_INFINITY,
): Batching[] {
  // A record waits for its batch up to the whole linger; half of the limit is for the work itself.
  const within = (limitMs: number): number | undefined => LINGERS_MS.findLast((rung) => rung <= limitMs / 2);
  const longest = within(Math.min(p95Ms, p99Ms));
  const longestInRollout = within(Math.min(p95Ms, p99Ms, rolloutP95Ms));
  const fillsAfter = (records: number, perSecond: number): number =>
    LINGERS_MS.find((rung) => rung >= ((records - 1) / perSecond) * 1000) ?? Number.POSITIVE_INFINITY;
  const filled = SIZES.filter((records) => fillsAfter(records, ratePeak(load)) <= (longest ?? 0)).length;
  const offered = longestInRollout === undefined ? [] : SIZES.slice(0, filled + 1);
  const all = [
    { records: batch.records, lingerMs },
    { records: 1, lingerMs: 0 },
    ...offered.map((records) => ({ records, lingerMs: Math.min(fillsAfter(records, rateSeen(load)), longestInRollout!) })),
  ];
  return [...new Map(all.map((one) => [`${one.records}/${one.lingerMs}`, one])).values()];
}
