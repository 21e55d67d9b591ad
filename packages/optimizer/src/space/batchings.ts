import type { Topology } from '@autoflow/topology';
import { ratePeak, rateSeen, type Load } from '@autoflow/twin';
import type { Batching, Objective } from '../problem.js';

const SIZES = [2, 5, 10, 20, 50, 100, 200, 500];
const LINGERS_MS = [5, 10, 20, 50, 100, 200, 300, 500, 700, 1000, 1500, 2000];

/** Of a limit of latency what a linger may be: a record waits for its batch up to the whole of it, and the rest is for the work itself, as the twin tells. */
const SHARES = [0.5, 0.75];

/**
 * The batching there is, no batching, every size that fills within a permissible linger at the rate that records see, with the least linger that fills it,
 * and with the longest those that only a burst fills and the next larger one, which holds all that comes meanwhile: with the longest that leaves half
 * of the limit, and the longest that leaves a quarter. What would linger longer than the guardrail of a rollout lets it (`rolloutP95Ms`) waits as long as it
 * may, and is full where there is a backlog.
 */
export function batchingsFor(
  { batch, lingerMs }: Topology,
  load: Load,
  { p95Ms = Number.POSITIVE_INFINITY, p99Ms = Number.POSITIVE_INFINITY }: Objective,
  rolloutP95Ms = Number.POSITIVE_INFINITY,
): Batching[] {
  const fillsAfter = (records: number, perSecond: number): number =>
    LINGERS_MS.find((rung) => rung >= ((records - 1) / perSecond) * 1000) ?? Number.POSITIVE_INFINITY;
  const within = (limitMs: number): number | undefined => LINGERS_MS.findLast((rung) => rung <= limitMs);
  const offered = SHARES.flatMap((share): Batching[] => {
    const longest = within(share * Math.min(p95Ms, p99Ms));
    const longestInRollout = within(Math.min(share * Math.min(p95Ms, p99Ms), rolloutP95Ms / 2));
    if (longest === undefined || longestInRollout === undefined) return [];
    const filled = SIZES.filter((records) => fillsAfter(records, ratePeak(load)) <= longest).length;
    return SIZES.slice(0, filled + 1).map((records) => ({
      records,
      lingerMs: Math.min(fillsAfter(records, rateSeen(load)), longestInRollout),
    }));
  });
  const all = [{ records: batch.records, lingerMs }, { records: 1, lingerMs: 0 }, ...offered];
  return [...new Map(all.map((one) => [`${one.records}/${one.lingerMs}`, one])).values()];
}
