/** The ledger: what a version saved against the version before it, which the holdout still runs. */
import type { Interval } from './confidence-sequence.js';
import { difference, mean, total, type Pair, type Total } from './contrast.js';

/** Of one arm in one block of time; costs are those of the batches closed in it. */
export interface LedgerCell {
  readonly records: number;
  readonly latencyMs: number;
  readonly charged: number;
  readonly costUsd: number;
}
export interface LedgerBlock {
  readonly stable: LedgerCell;
  readonly holdout: LedgerCell;
}
export interface Savings {
  /** That the stable version ran. */
  readonly records: number;
  readonly costPer1000: { readonly stable?: number; readonly holdout?: number };
  /** US dollars: positive when the stable version is cheaper. Undefined while one arm has nothing. */
  readonly savedUsd?: Interval;
  /** Milliseconds per record: positive when the stable version is faster. */
  readonly savedMs?: Interval;
}

/** Losses included: a version that costs more has negative savings. The intervals hold at every look at once. */
export function savings(blocks: readonly LedgerBlock[], alpha = 0.05): Savings {
  const of = (read: (cell: LedgerCell) => Total): Pair[] =>
    blocks
      .map(({ stable, holdout }) => ({ candidate: read(holdout), control: read(stable) }))
      .filter(({ candidate, control }) => candidate.count + control.count > 0);
  const [costs, latencies] = [
    of(({ costUsd, charged }) => ({ sum: costUsd, count: charged })),
    of(({ latencyMs, records }) => ({ sum: latencyMs, count: records })),
  ];
  const tightAt = Math.max(1, blocks.length);
  const perRecord = difference(costs, { alpha, tightAt });
  const savedMs = difference(latencies, { alpha, tightAt });
  const [holdout, stable] = [total(costs.map(({ candidate }) => candidate)), total(costs.map(({ control }) => control))];
  return {
    records: total(latencies.map(({ control }) => control)).count,
    costPer1000: {
      ...(stable.count > 0 && { stable: 1000 * mean(stable) }),
      ...(holdout.count > 0 && { holdout: 1000 * mean(holdout) }),
    },
    ...(perRecord && { savedUsd: scaled(perRecord, stable.count) }),
    ...(savedMs && { savedMs }),
  };
}

/** `Savings` that were kept as JSON, which has null for a bound that is not known. */
export function restoredSavings(kept: object): Savings {
  const { savedUsd, savedMs, ...rest } = kept as KeptSavings;
  return { ...rest, ...(savedUsd && { savedUsd: restored(savedUsd) }), ...(savedMs && { savedMs: restored(savedMs) }) };
}

interface KeptInterval {
  readonly estimate: number;
  readonly low: number | null;
  readonly high: number | null;
}
type KeptSavings = Omit<Savings, 'savedUsd' | 'savedMs'> & { readonly savedUsd?: KeptInterval; readonly savedMs?: KeptInterval };

const restored = ({ estimate, low, high }: KeptInterval): Interval => ({ estimate, low: low ?? -Infinity, high: high ?? Infinity });

function scaled({ estimate, low, high }: Interval, by: number): Interval {
  return { estimate: estimate * by, low: low * by, high: high * by };
}
