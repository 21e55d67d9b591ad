import type { Objective } from './problem.js';

/** What a plan is judged by. */
export interface Figures {
  /** US dollars, Temporal's actions included. */
  readonly costPer1000: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  /** Records per second. */
  readonly throughput: number;
}

/** Share of the arrivals that must leave in the same time: less is a queue that grows. */
const CARRIES = 0.97;
/** A limit is a limit: no saving of less than a factor e outweighs breaking it. */
const BROKEN = 1;
const REFUSED = 10;

/**
 * Less is better: ln of what is minimised, and what every broken limit adds. A difference of 0.01 is one per cent, so e^(a − b) − 1 is the regret
 * of a against b. The limits count as in the utility that a learned scorer is trained on, and more as soon as they are broken at all.
 */
export function scoreOf({ minimise, p95Ms, p99Ms }: Objective, ratePerSecond: number, figures: Figures): number {
  const least = Math.log(minimise === 'cost' ? figures.costPer1000 : figures.p95Ms);
  const late = beyond(figures.p95Ms, p95Ms) + beyond(figures.p99Ms, p99Ms);
  const behind = beyond(CARRIES * ratePerSecond, figures.throughput);
  return least + (late > 0 ? BROKEN + 2 * late : 0) + (behind > 0 ? BROKEN + 4 * behind : 0);
}

/** What is added for a plan that the guardrail of its rollout would take back, where p95 may be so long: more than anything that it could save. */
export function refusal(p95Ms: number, limitMs: number | undefined): number {
  const late = beyond(p95Ms, limitMs);
  return late > 0 ? REFUSED + 2 * late : 0;
}

/** Whether the plan carries the load and keeps every limit of latency. */
export function keepsLimits({ p95Ms, p99Ms }: Objective, ratePerSecond: number, figures: Figures): boolean {
  return beyond(figures.p95Ms, p95Ms) + beyond(figures.p99Ms, p99Ms) + beyond(CARRIES * ratePerSecond, figures.throughput) === 0;
}

/** By how much the score of a found plan is worse than that of the best there is, as a share of what is minimised. */
export function regret(found: number, best: number): number {
  return Math.exp(found - best) - 1;
}

function beyond(value: number, limit: number | undefined): number {
  return limit === undefined ? 0 : Math.max(0, Math.log(value / limit));
}
