import { ApplicationFailure, Context } from '@temporalio/activity';
import type { Enforcement } from '@autoflow/store';
import type { StageAnswer, StageInvocation } from '@autoflow/topology';
import { billedMs } from '@autoflow/twin';
import type { FunctionHostOptions } from '../contract.js';
import { residentMb } from '../enforcement/soft.js';
import type { InvocationResult } from '../process/instance-process.js';
import { endByError, endOf, rowOf, type AttemptEnd } from './attempt.js';
import { enterAll, GateClosed, type Gate } from './gate.js';
import { InstanceNotReady, type Instances } from './instances.js';

/** Share of its memory beyond which an instance is not used again: what it has kept so far would be the next one's death. */
const FULL = 0.9;

/** The execution's heartbeat timeout is a few seconds: a host that is gone is noticed within it. */
const HEARTBEAT_EVERY_MS = 1_000;

export interface StageActivityOptions {
  /** Of the stage, then of each resource that allows only so many users at once. */
  readonly gates: readonly Gate[];
  readonly instances: Instances;
  readonly memoryMb: number;
  readonly place: { readonly host: string; readonly enforcement: Enforcement };
  readonly strictSample: number;
  readonly cost: FunctionHostOptions['cost'];
  readonly meter: FunctionHostOptions['metering']['invocation'];
}

/**
 * One invocation: waits for its turn, takes a warm instance or starts one, lets it run the stage's functions, meters the attempt.
 * Throws the failures of `StageFailure`, with `{ begun }` in their details. This process heartbeats for the instance, whose own
 * thread belongs to the handler.
 */
export function stageActivity(options: StageActivityOptions): (invocation: StageInvocation) => Promise<StageAnswer> {
  return async (invocation) => {
    const context = Context.current();
    const heartbeat = setInterval(() => context.heartbeat(), HEARTBEAT_EVERY_MS);
    const clock = new AttemptClock();
    let end: AttemptEnd;
    try {
      end = await attempt(options, invocation, context.cancellationSignal, clock);
    } catch (error) {
      if (error instanceof GateClosed) throw handedBack();
      throw error;
    } finally {
      clearInterval(heartbeat);
    }
    meter(options, invocation, context, clock, end);
    if (end.outcome !== 'ok') throw end.error;
    return end.answer;
  };
}

async function attempt(
  options: StageActivityOptions,
  invocation: StageInvocation,
  signal: AbortSignal,
  clock: AttemptClock,
): Promise<AttemptEnd> {
  const { gates, instances, memoryMb, strictSample } = options;
  let leave: (() => void) | undefined;
  try {
    leave = await enterAll(gates, signal);
    clock.entered();
    const result = await runOn({ instances, memoryMb }, invocation, Math.random() < strictSample, signal, clock);
    return endOf(result, memoryMb, signal.aborted ? (signal.reason as Error) : undefined);
  } catch (error) {
    if (error instanceof InstanceNotReady) clock.running(error.coldStartMs);
    if (error instanceof GateClosed) throw error;
    return endByError(error, memoryMb);
  } finally {
    leave?.();
  }
}

/**
 * The share of this host became 0 after its Worker had fetched the task: another host gets it. Nothing ran, so nothing is metered, and
 * `begun` is false.
 */
function handedBack(): ApplicationFailure {
  return ApplicationFailure.create({
    type: 'HostWithoutShare',
    message: 'this host may run no instance of the stage at the moment',
    nonRetryable: false,
    nextRetryDelay: '100ms',
    details: [{ begun: false }],
  });
}

/** A warm instance that turns out to be gone, before it took the invocation on, is replaced. */
async function runOn(
  { instances, memoryMb }: Pick<StageActivityOptions, 'instances' | 'memoryMb'>,
  invocation: StageInvocation,
  strict: boolean,
  signal: AbortSignal,
  clock: AttemptClock,
): Promise<InvocationResult> {
  for (;;) {
    const lease = await instances.take(invocation.nodes, signal);
    try {
      clock.running(lease.coldStartMs);
      const result = await lease.instance.invoke(invocation, strict, signal);
      clock.ran();
      const untouched = result.type === 'ended' && result.ended.why === 'died' && !result.begun;
      if (!untouched || lease.coldStartMs > 0 || signal.aborted) return result;
    } finally {
      // A handler that was cancelled may still be at work: no other invocation shall meet it. Nor an instance that has no room left.
      lease.release(!signal.aborted && residentMb(lease.instance.pid) < FULL * memoryMb);
    }
  }
}

/** When an attempt passed its stations, in milliseconds. */
class AttemptClock {
  readonly startedAt = Date.now();
  gateMs = 0;
  coldStartMs = 0;
  durationMs = 0;
  #at = performance.now();

  entered(): void {
    this.gateMs = this.#lap();
  }

  running(coldStartMs: number): void {
    this.coldStartMs = coldStartMs;
    const waitedMs = this.#lap();
    // For one that another invocation gave back.
    if (coldStartMs === 0) this.gateMs += waitedMs;
  }

  ran(): void {
    this.durationMs = this.#lap();
  }

  #lap(): number {
    const before = this.#at;
    this.#at = performance.now();
    return this.#at - before;
  }
}

/** Metering must not fail an invocation: the port takes rows and answers nothing. */
function meter(
  { place, memoryMb, cost, meter }: StageActivityOptions,
  invocation: StageInvocation,
  { info }: Context,
  clock: AttemptClock,
  end: AttemptEnd,
): void {
  const costUsd = cost({ billedMs: billedMs(clock), memoryMb });
  meter(rowOf({ ...place, memoryMb, costUsd }, invocation, info, clock, end));
}
