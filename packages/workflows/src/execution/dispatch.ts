/**
 * One part of one stage until every record of it is in an output file. Knows nothing of Temporal: whoever calls it supplies the
 * dispatcher, so that the rules of retry, memory and bisection are tested by themselves.
 */
import type { BatchRef, StageAnswer, StageInvocation, StagePlan } from '@autoflow/topology/execution';
import type { PartInput } from './pieces.js';

/** What one invocation came to. `platform` is trouble of ours (a store is down): never a record's fault, tried until it works. */
export type Attempt =
  | { readonly kind: 'answer'; readonly answer: StageAnswer }
  | {
      readonly kind: 'out-of-memory' | 'process-lost' | 'host-lost' | 'platform';
      readonly code: string;
      readonly message: string;
      /** Handlers may have run; false only when it is certain that none did. */
      readonly begun: boolean;
    };

export type Invocation = Pick<StageInvocation, 'inputs' | 'slice' | 'dispatch' | 'final' | 'condemn'>;

export interface Dispatcher {
  /** Rejects only when the execution has to end: cancellation, or a terminal failure such as a missing file. */
  invoke(invocation: Invocation, memoryMb: number): Promise<Attempt>;
  sleep(ms: number): Promise<void>;
  requireMemory(memoryMb: number): Promise<void>;
  /** Takes an output file, as soon as it is there. */
  emit(output: BatchRef): void;
  /** False when the execution has used up its invocations for bisection. */
  mayBisect(): boolean;
}

/** Invocations that one execution may spend on finding the records that kill their process. */
export const BISECTION_BUDGET = 200;

interface Work extends PartInput {
  /** Invocations made for these records before. */
  readonly dispatch: number;
  /** Of these, ones that ended with records to retry. */
  readonly rounds: number;
  /** Index into the plan's memory sizes. */
  readonly memory: number;
  /** Process deaths in a row. */
  readonly deaths: number;
  /** Being bisected: each invocation counts against the budget. */
  readonly bisecting: boolean;
}

/** Resolves when every record of the part has been emitted. */
export async function dispatchPart(part: PartInput, plan: StagePlan, dispatcher: Dispatcher): Promise<void> {
  await dispatch({ ...part, dispatch: 0, rounds: 0, memory: 0, deaths: 0, bisecting: false }, plan, dispatcher);
}

async function dispatch(work: Work, plan: StagePlan, dispatcher: Dispatcher): Promise<void> {
  if (work.bisecting && !dispatcher.mayBisect())
    return condemn(
      work,
      plan,
      dispatcher,
      'BISECTION_BUDGET',
      `the execution used up its ${BISECTION_BUDGET} invocations for isolating records that kill their process`,
    );

  const final = work.rounds + 1 >= plan.retry.maximumAttempts;
  const attempt = await invoke(work, { dispatch: work.dispatch, final }, plan, dispatcher);
  const next = { ...work, dispatch: work.dispatch + 1 };

  if (attempt.kind === 'answer') {
    dispatcher.emit(attempt.answer.output);
    const { retry } = attempt.answer;
    if (retry === undefined) return;
    await dispatcher.sleep(backoff(plan.retry, work.rounds));
    return dispatch(
      { ...next, inputs: [retry], slice: undefined, records: retry.counts.records, rounds: work.rounds + 1, deaths: 0 },
      plan,
      dispatcher,
    );
  }
  if (plan.effect === 'write' && attempt.begun)
    return condemn(
      next,
      plan,
      dispatcher,
      'NOT_RERUN',
      `${attempt.message}; the stage writes and is never run again by itself, the records may have been written`,
    );
  if (attempt.kind === 'out-of-memory' && work.memory + 1 < plan.memoryMb.length) {
    await dispatcher.requireMemory(sizeOf(plan, work.memory + 1));
    return dispatch({ ...next, memory: work.memory + 1 }, plan, dispatcher);
  }
  // Of the largest size too: the instance may have been full of what others had left in it, and the next one is not.
  const died = attempt.kind === 'process-lost' || attempt.kind === 'out-of-memory';
  if (died && work.deaths === 0) return dispatch({ ...next, deaths: 1 }, plan, dispatcher);
  if (work.records === 1) return condemn(next, plan, dispatcher, attempt.code, attempt.message);
  await Promise.all(halvesOf(next).map((half) => dispatch(half, plan, dispatcher)));
}

/** Invokes until the platform plays along; handlers of a plain write that may have run are never run again. */
async function invoke(
  work: Work,
  how: Pick<Invocation, 'dispatch' | 'final' | 'condemn'>,
  plan: StagePlan,
  dispatcher: Dispatcher,
): Promise<Attempt> {
  for (let trouble = 0; ; trouble++) {
    const attempt = await dispatcher.invoke(
      { inputs: work.inputs, ...(work.slice && { slice: work.slice }), ...how },
      sizeOf(plan, work.memory),
    );
    if (attempt.kind !== 'platform' || (plan.effect === 'write' && attempt.begun && !how.condemn)) return attempt;
    await dispatcher.sleep(backoff(PLATFORM_RETRY, trouble));
  }
}

/** The records die without being run. */
async function condemn(work: Work, plan: StagePlan, dispatcher: Dispatcher, code: string, message: string): Promise<void> {
  const attempt = await invoke(work, { dispatch: work.dispatch, final: true, condemn: { code, message } }, plan, dispatcher);
  if (attempt.kind !== 'answer') throw new CondemnationFailed(attempt.code, attempt.message);
  dispatcher.emit(attempt.answer.output);
}

/** Not even reading and writing the records back works: nothing the interpreter could do would help. */
export class CondemnationFailed extends Error {
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

/** A half of one record gets its second chance, as a death need not be the record's fault; larger halves are halved on at once. */
function halvesOf(work: Work): Work[] {
  const { from, to } = work.slice ?? { from: 0, to: work.records };
  const middle = from + Math.ceil((to - from) / 2);
  return [
    { from, to: middle },
    { from: middle, to },
  ].map((slice) => ({ ...work, slice, records: slice.to - slice.from, deaths: slice.to - slice.from === 1 ? 0 : 1, bisecting: true }));
}

const PLATFORM_RETRY = { initialIntervalMs: 5_000, backoffCoefficient: 2, maximumIntervalMs: 300_000 };

function backoff(
  retry: Pick<StagePlan['retry'], 'initialIntervalMs' | 'backoffCoefficient' | 'maximumIntervalMs'>,
  before: number,
): number {
  return Math.min(retry.maximumIntervalMs, Math.round(retry.initialIntervalMs * retry.backoffCoefficient ** before));
}

function sizeOf(plan: StagePlan, index: number): number {
  const size = plan.memoryMb[index];
  if (size === undefined) throw new CondemnationFailed('BAD_PLAN', 'the plan of a stage names no memory size');
  return size;
}
