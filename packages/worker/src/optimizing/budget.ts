/** What an optimization's own computing costs, and what it may cost. */
import type { OptimizationRow } from '@autoflow/store';
import { MB_PER_CORE, PUBLISHED_PRICES, usageCost } from '@autoflow/twin';

/** Of what is left when a step begins that can be cut short: the rest is for those that follow, and for what is under way when it ends. */
const SHARE = 0.8;
/** Of a step that answers at its end only: 4 s of computing were a fit, and 0.8 s an allocation (`test/results/proposal.json`). */
const MOST_STEP_MS = 600_000;

/** US dollars of a core that was busy for so long, at the list price of the memory that comes with one. */
export function usdOf(cpuMs: number): number {
  return usageCost({ invocations: 0, billedMbMs: cpuMs * MB_PER_CORE }, PUBLISHED_PRICES);
}

/** What is left of a budget in dollars; absent: none was given. */
export interface Left {
  /** US dollars, of the whole. */
  readonly of: number;
  readonly cpuMs: number;
}

type Row = Pick<OptimizationRow, 'request' | 'decisions' | 'progress'>;

export function leftOf({ request: { usd }, decisions, progress }: Row): Left | undefined {
  if (usd === undefined) return undefined;
  const decided = decisions.reduce((sum, decision) => sum + (decision.usd ?? 0), 0);
  const isUnderWay = !decisions.some(({ step }) => step === progress?.step);
  const spent = decided + (isUnderWay ? (progress?.spent?.usd ?? 0) : 0);
  return { of: usd, cpuMs: Math.max(0, usd - spent) / usdOf(1) };
}

/** Of the search; a training that follows gets as much. */
export function searchMs({ cpuMs }: Left, isTrainedBeside: boolean): number {
  return (SHARE * cpuMs) / (isTrainedBeside ? 2 : 1);
}

/** Of fit and allocation, by the clock: a process is charged as if it kept a core busy until it answers. */
export function stepMs(left: Left | undefined): number {
  return Math.min(MOST_STEP_MS, left?.cpuMs ?? MOST_STEP_MS);
}

/** `by`: what used up the rest of it. */
export function usedUp(left: Left | undefined, by: string): string {
  return left === undefined || left.cpuMs > MOST_STEP_MS
    ? `${MOST_STEP_MS / 60_000} minutes were used up ${by}`
    : `the budget of $${left.of} was used up ${by}`;
}

/** Each learner is charged as if it kept a core busy all the time. */
export function trainingSeconds({ cpuMs }: Left, learners: number): number {
  return (SHARE * cpuMs) / learners / 1000;
}
