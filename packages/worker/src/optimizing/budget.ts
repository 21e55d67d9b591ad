/** What an optimization's own computing costs, and what it may cost. */
import type { OptimizationRow } from '@autoflow/store';
import { MB_PER_CORE, PUBLISHED_PRICES, usageCost } from '@autoflow/twin';

/** Of what is left when a step begins that can be cut short: the rest is for those that follow, and for what is under way when it ends. */
const SHARE = 0.8;

/** US dollars of a core that was busy for so long, at the list price of the memory that comes with one. */
export function usdOf(cpuMs: number): number {
  return usageCost({ invocations: 0, billedMbMs: cpuMs * MB_PER_CORE }, PUBLISHED_PRICES);
}

/** What is left of a budget in dollars; absent: none was given. A step that has begun is finished, but for search and training, which end in time. */
export interface Left {
  /** US dollars, of the whole. */
  readonly of: number;
  readonly cpuMs: number;
}

export function leftOf({ request: { usd }, decisions }: Pick<OptimizationRow, 'request' | 'decisions'>): Left | undefined {
  if (usd === undefined) return undefined;
  const spent = decisions.reduce((sum, decision) => sum + (decision.usd ?? 0), 0);
  return { of: usd, cpuMs: Math.max(0, usd - spent) / usdOf(1) };
}

/** Of the search; a training that follows gets as much. */
export function searchMs({ cpuMs }: Left, isTrainedBeside: boolean): number {
  return (SHARE * cpuMs) / (isTrainedBeside ? 2 : 1);
}

/** Each learner is charged as if it kept a core busy all the time. */
export function trainingSeconds({ cpuMs }: Left, learners: number): number {
  return (SHARE * cpuMs) / learners / 1000;
}
