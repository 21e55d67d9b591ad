import type { Topology } from '@autoflow/topology';
import type { Batching, Objective } from '../problem.js';

const SIZES = [2, 5, 10, 20, 50, 100, 200, 500];
const LINGERS_MS = [5, 10, 20, 50, 100, 200, 500, 1000, 2000];

/** The batching there is, no batching, and every size that fills within a permissible linger at this rate, with the least linger that fills it. */
export function batchingsFor({ batch, lingerMs }: Topology, ratePerSecond: number, { p95Ms, p99Ms }: Objective): Batching[] {
  // A record waits for its batch up to the whole linger; half of the limit is for the work itself.
  const longest = Math.min(LINGERS_MS.at(-1) ?? 0, (p95Ms ?? Number.POSITIVE_INFINITY) / 2, (p99Ms ?? Number.POSITIVE_INFINITY) / 2);
  const filling = SIZES.flatMap((records): Batching[] => {
    const linger = LINGERS_MS.find((rung) => rung >= ((records - 1) / ratePerSecond) * 1000);
    return linger === undefined || linger > longest ? [] : [{ records, lingerMs: linger }];
  });
  const all = [{ records: batch.records, lingerMs }, { records: 1, lingerMs: 0 }, ...filling];
  return [...new Map(all.map((one) => [`${one.records}/${one.lingerMs}`, one])).values()];
}
