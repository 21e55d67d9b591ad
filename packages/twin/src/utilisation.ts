/** What pools had and what of it was used, over any window. */
export interface PoolUsage {
  /** Instance-seconds that were there, starting and idle ones included. */
  readonly provisionedS: number;
  /** Instance-seconds in which an invocation ran. */
  readonly busyS: number;
  /** Memory limit × seconds, over the instances that were there. */
  readonly provisionedMbS: number;
  /** Resident memory × seconds, over the same instances. */
  readonly usedMbS: number;
}

/** Shares in [0, 1]; undefined where nothing was provisioned (a pool at zero has no utilisation). */
export interface Utilisation {
  readonly memory: number | undefined;
  readonly instances: number | undefined;
}

/**
 * Utilisation of pools together, weighted by what they had: Σ used / Σ provisioned memory-seconds, and Σ busy / Σ provisioned
 * instance-seconds (architecture.md, "Score, reward, cost"). Never above 1, though the soft limit lets an instance exceed its memory.
 */
export function utilisation(pools: readonly PoolUsage[]): Utilisation {
  const sum = (of: (pool: PoolUsage) => number): number => pools.reduce((total, pool) => total + of(pool), 0);
  return {
    memory: share(
      sum((pool) => pool.usedMbS),
      sum((pool) => pool.provisionedMbS),
    ),
    instances: share(
      sum((pool) => pool.busyS),
      sum((pool) => pool.provisionedS),
    ),
  };
}

function share(part: number, whole: number): number | undefined {
  return whole > 0 ? Math.min(1, part / whole) : undefined;
}
