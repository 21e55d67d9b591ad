import type { Prices } from './prices.js';

const MB_PER_GB = 1024;

/** What is billed of one attempt of one stage; `memoryMb` is what the instance was given, not what it used. */
export interface BilledInvocation {
  readonly billedMs: number;
  readonly memoryMb: number;
}

/** US dollars. `all = compute + invocations + actions`; `withoutActions` leaves the price of Temporal actions out. */
export interface Cost {
  readonly compute: number;
  readonly invocations: number;
  readonly actions: number;
  readonly all: number;
  readonly withoutActions: number;
}

/**
 * Billed time of one invocation in whole milliseconds: duration and the cold start that it waited for, rounded up together.
 * Source: AWS Lambda bills in steps of 1 ms, and since August 2025 the INIT phase like the duration (https://aws.amazon.com/blogs/compute/aws-lambda-standardizes-billing-for-init-phase).
 */
export function billedMs({ durationMs, coldStartMs = 0 }: { readonly durationMs: number; readonly coldStartMs?: number }): number {
  return Math.ceil(amount(durationMs, 'durationMs') + amount(coldStartMs, 'coldStartMs'));
}

/**
 * US dollars of one invocation, Temporal actions not included: billedMs/1000 · memoryMb/1024 · gbSecond + invocation.
 * Every attempt is billed, also one that failed. Source: AWS Lambda pricing, as `Prices` says.
 */
export function invocationCost({ billedMs, memoryMb }: BilledInvocation, prices: Prices): number {
  return provisionedCost((amount(billedMs, 'billedMs') / 1000) * memoryMb, prices) + prices.invocation.usd;
}

/** US dollars of an execution: all its invocations (every attempt), and its Temporal actions (see `temporalActions`). */
export function executionCost(
  execution: { readonly invocations: readonly BilledInvocation[]; readonly actions: number },
  prices: Prices,
): Cost {
  const { invocations: billed, actions: count } = execution;
  const compute = billed.reduce(
    (sum, { billedMs, memoryMb }) => sum + provisionedCost((amount(billedMs, 'billedMs') / 1000) * memoryMb, prices),
    0,
  );
  const invocations = billed.length * prices.invocation.usd;
  const actions = amount(count, 'actions') * prices.temporalAction.usd;
  const withoutActions = compute + invocations;
  return { compute, invocations, actions, all: withoutActions + actions, withoutActions };
}

/** US dollars per 1,000 records; undefined when there were none. */
export function costPer1000(usd: number, records: number): number | undefined {
  return records === 0 ? undefined : (amount(usd, 'usd') / amount(records, 'records')) * 1000;
}

/**
 * US dollars of provisioned memory, used or idle: MB-seconds/1024 · gbSecond. It is the cost that the agent controls: under pay-per-use
 * idle instances are free, and the most concurrency would always win (architecture.md, "Score, reward, cost").
 */
export function provisionedCost(memoryMbSeconds: number, prices: Prices): number {
  return (amount(memoryMbSeconds, 'memoryMbSeconds') / MB_PER_GB) * prices.gbSecond.usd;
}

/** A cost computed from rubbish would look like any other, so rubbish is refused. */
function amount(value: number, name: string): number {
  if (!Number.isFinite(value) || value < 0) throw new RangeError(`${name} must be a finite number of at least 0, found ${value}.`);
  return value;
}
