import type { Simulation } from './simulate.js';

/** A mean over independent runs, and half the width of its 95 % confidence interval. */
export interface Estimate {
  readonly mean: number;
  readonly halfWidth: number;
}
export interface ReplicatedSimulation {
  readonly throughput: Estimate;
  readonly latencyMs: { readonly mean: Estimate; readonly p50: Estimate; readonly p95: Estimate; readonly p99: Estimate };
  readonly costPer1000: { readonly all: Estimate; readonly withoutActions: Estimate };
  readonly provisionedMbS: Estimate;
  readonly runs: readonly Simulation[];
}

/**
 * Independent replications: `run` is asked for seeds 1, 2, …, each with arrivals of its own; intervals by Student's t. Two plans that are
 * replicated with the same seeds and arrivals may be compared pair by pair, which is far sharper than comparing their intervals.
 */
export function replicate(run: (seed: number) => Simulation, replications = 5): ReplicatedSimulation {
  const runs = Array.from({ length: Math.max(2, replications) }, (_, i) => run(i + 1));
  const of = (value: (one: Simulation) => number): Estimate => estimate(runs.map(value));
  return {
    throughput: of(({ throughput }) => throughput),
    latencyMs: {
      mean: of(({ latencyMs }) => latencyMs.mean),
      p50: of(({ latencyMs }) => latencyMs.p50),
      p95: of(({ latencyMs }) => latencyMs.p95),
      p99: of(({ latencyMs }) => latencyMs.p99),
    },
    costPer1000: { all: of(({ costPer1000 }) => costPer1000.all), withoutActions: of(({ costPer1000 }) => costPer1000.withoutActions) },
    provisionedMbS: of(({ provisionedMbS }) => provisionedMbS),
    runs,
  };
}

/** Of two or more values. */
export function estimate(values: readonly number[]): Estimate {
  const n = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1);
  return { mean, halfWidth: studentT(n - 1) * Math.sqrt(variance / n) };
}

/** The 97.5 % quantile of Student's t. */
function studentT(freedom: number): number {
  return T975[freedom - 1] ?? 1.96 + 2.5 / freedom;
}

const T975 = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131];
