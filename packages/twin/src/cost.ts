import type { Prices } from './prices.js';

const MB_PER_GB = 1024;

/** What is billed of one attempt of one stage; `memoryMb` is what the instance was given, not what it used. */
export interface BilledInvocation {
  readonly billedMs: number;
  readonly memoryMb: number;
}

/**
 * Billed time of one invocation in whole milliseconds: duration and the cold start that it waited for, rounded up together.
 * Source: AWS Lambda bills in steps of 1 ms, and since August 2025 the INIT phase like the duration (https://aws.amazon.com/blogs/compute/aws-lambda-standardizes-billing-for-init-phase).
 */
export function billedMs({ durationMs, coldStartMs = 0 }: { readonly durationMs: number; readonly coldStartMs?: number }): number {
  return Math.ceil(amount(durationMs, 'durationMs') + amount(coldStartMs, 'coldStartMs'));
}

/**
 * US dollars of one invocation, Temporal actions (see `temporalActions`) not included: billedMs/1000 · memoryMb/1024 · gbSecond + invocation.
 * Every attempt is billed, also one that failed. Source: AWS Lambda pricing, as `Prices` says.
 */
export function invocationCost({ billedMs, memoryMb }: BilledInvocation, prices: Prices): number {
  const gbSeconds = (amount(billedMs, 'billedMs') / 1000) * (amount(memoryMb, 'memoryMb') / MB_PER_GB);
  return gbSeconds * prices.gbSecond.usd + prices.invocation.usd;
}

/**
 * US dollars of many invocations together: the sum of their `invocationCost`, from their number and the sum of billed milliseconds × MB.
 */
export function usageCost(
  { invocations, billedMbMs }: { readonly invocations: number; readonly billedMbMs: number },
  prices: Prices,
): number {
  const gbSeconds = amount(billedMbMs, 'billedMbMs') / 1000 / MB_PER_GB;
  return gbSeconds * prices.gbSecond.usd + amount(invocations, 'invocations') * prices.invocation.usd;
}

/** US dollars per 1,000 records; undefined when there were none. */
export function costPer1000(usd: number, records: number): number | undefined {
  return records === 0 ? undefined : (amount(usd, 'usd') / amount(records, 'records')) * 1000;
}

/** A cost computed from rubbish would look like any other, so rubbish is refused. */
function amount(value: number, name: string): number {
  if (!Number.isFinite(value) || value < 0) throw new RangeError(`${name} must be a finite number of at least 0, found ${value}.`);
  return value;
}
