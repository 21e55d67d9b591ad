import { drift, type Drift, type WorkloadBlock } from '@autoflow/experiment';
import type { DecisionRow, Store, WorkloadRow } from '@autoflow/store';

/** What is compared: the hour that ended with the decision, and the last one. */
const WINDOW_MS = 3_600_000;
const BLOCK_MS = 120_000;

interface Compared {
  /** Default: now. */
  readonly until?: Date;
  readonly windowMs?: number;
  readonly blockMs?: number;
}

/** In what the last hour is not like the hour in which it was decided, and since when; nothing before there is a whole one. */
export async function driftSince(
  { pipeline, at }: Pick<DecisionRow, 'pipeline' | 'at'>,
  { comparisons }: Pick<Store, 'comparisons'>,
  { until, windowMs = WINDOW_MS, blockMs = BLOCK_MS }: Compared = {},
): Promise<Pick<Drift, 'reasons'> & { readonly since?: Date }> {
  const [now, decided] = [until?.getTime() ?? (await comparisons.clock()), at.getTime()];
  if (now - decided < windowMs) return { reasons: [] };
  const blocksUntil = async (to: number): Promise<WorkloadBlock[]> =>
    featuresOf(
      await comparisons.workload({ pipeline, from: to - windowMs, to, blockMs }),
      to - windowMs,
      Math.floor(windowMs / blockMs),
      blockMs,
    );
  const { reasons, since } = drift(await blocksUntil(decided), await blocksUntil(now));
  return { reasons, ...(since !== undefined && { since: new Date(now - windowMs + since * blockMs) }) };
}

/** A block in which nothing came is a block with a rate of nothing. */
function featuresOf(rows: readonly WorkloadRow[], from: number, blocks: number, blockMs: number): WorkloadBlock[] {
  const found = new Map(rows.map((row) => [Math.round((row.at - from) / blockMs), row]));
  return Array.from({ length: blocks }, (_, block): WorkloadBlock => {
    const row = found.get(block);
    if (row === undefined) return { rate: { sum: 0, count: 1 } };
    const { records, bytes, settled, filtered } = row;
    return {
      rate: { sum: records, count: 1 },
      'bytes per record': { sum: bytes, count: records },
      ...(settled > 0 && { 'share that is filtered': { sum: filtered, count: settled } }),
    };
  });
}
