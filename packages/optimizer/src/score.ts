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

/** The score's constants: a learned scorer is trained to see plans as the search does. */
export const SCORE = {
  /** Share of the arrivals that must leave in the same time: less is a queue that grows. */
  carries: 0.97,
  /** Of the rate that a finite sample of arrivals is drawn from: it may come slower. */
  sample: 0.95,
  /** What a broken limit adds, whatever it is broken by, and per ln of that: of a latency, and of the load. */
  broken: 1,
  late: 2,
  behind: 4,
} as const;
const REFUSED = 10;

/**
 * Less is better: ln of what is minimised, and what every broken limit adds. A difference of 0.01 is one per cent, so e^(a − b) − 1 is the regret
 * of a against b. It is what a search descends, smooth, so that it finds its way back within the limits; a great saving may outweigh a broken limit
 * here, and what is chosen is therefore chosen by `limitsFirst`.
 */
export function scoreOf({ minimise, p95Ms, p99Ms }: Objective, ratePerSecond: number, figures: Figures): number {
  const least = Math.log(minimise === 'cost' ? figures.costPer1000 : figures.p95Ms);
  const late = beyond(figures.p95Ms, p95Ms) + beyond(figures.p99Ms, p99Ms);
  const behind = beyond(SCORE.carries * ratePerSecond, figures.throughput);
  return least + (late > 0 ? SCORE.broken + SCORE.late * late : 0) + (behind > 0 ? SCORE.broken + SCORE.behind * behind : 0);
}

/** What is added for a plan that the guardrail of its rollout would take back, where p95 may be so long: more than anything that it could save. */
export function refusal(p95Ms: number, limitMs: number | undefined): number {
  const late = beyond(p95Ms, limitMs);
  return late > 0 ? REFUSED + SCORE.late * late : 0;
}

/** Whether the plan carries the load and keeps every limit of latency. */
export function keepsLimits({ p95Ms, p99Ms }: Objective, ratePerSecond: number, figures: Omit<Figures, 'costPer1000'>): boolean {
  const late = beyond(figures.p95Ms, p95Ms) + beyond(figures.p99Ms, p99Ms);
  return late + beyond(SCORE.carries * ratePerSecond, figures.throughput) === 0;
}

/** An order, the better first: whoever keeps the limits before whoever breaks one, whatever that would save; then by score. */
export function limitsFirst(a: Judged, b: Judged): number {
  return Number(b.keepsLimits) - Number(a.keepsLimits) || a.score - b.score;
}
export interface Judged {
  readonly score: number;
  readonly keepsLimits: boolean;
}

/** By how much the score of a found plan is worse than that of the best there is, as a share of what is minimised. */
export function regret(found: number, best: number): number {
  return Math.exp(found - best) - 1;
}

function beyond(value: number, limit: number | undefined): number {
  return limit === undefined ? 0 : Math.max(0, Math.log(value / limit));
}
