import { CancelledFailure, type ApplicationFailure } from '@temporalio/common';
import { StageFailure, type StageAnswer, type StageInvocation } from '@autoflow/topology';
import { expect, it } from 'vitest';
import type { InvocationUsage } from '../instance/protocol.js';
import type { Ended } from '../process/instance-process.js';
import { ReleaseError } from '../release/errors.js';
import { endByError, endOf, rowOf, type AttemptEnd } from './attempt.js';
import { InstanceNotReady } from './instances.js';

const usage = {} as InvocationUsage;
const failureOf = (end: AttemptEnd): ApplicationFailure => (end as Exclude<AttemptEnd, { outcome: 'ok' }>).error as ApplicationFailure;

it('delivers an answer in spite of a cancellation: records were written', () => {
  const answer = { output: {}, retry: {} } as StageAnswer;
  expect(endOf({ type: 'answer', answer, usage }, 256, new CancelledFailure('cancelled'))).toEqual({ outcome: 'ok', answer, usage });
});

it.each<[Ended['why'], string, boolean]>([
  ['out-of-memory', StageFailure.outOfMemory, true],
  ['timed-out', StageFailure.timedOut, true],
  ['died', StageFailure.instanceDied, true],
  ['broken', StageFailure.releaseBroken, true],
  ['not-started', 'InstanceNotStarted', false],
  ['late', 'InstanceNotStarted', false],
])('an end (%s) tells whether handlers had begun', (why, type, nonRetryable) => {
  const ended = { why, message: 'm' };
  for (const begun of [true, false])
    expect(failureOf(endOf({ type: 'ended', ended, begun }, 256, undefined))).toMatchObject({ type, nonRetryable, details: [{ begun }] });
  expect(failureOf(endByError(new InstanceNotReady(ended, 1), 256))).toMatchObject({ type, details: [{ begun: false }] });
});

it.each([
  [new ReleaseError('RELEASE_MISSING', 'm'), 'ReleaseMissing', false],
  [new ReleaseError('RELEASE_DAMAGED', 'm'), StageFailure.releaseBroken, true],
  [Object.assign(new Error('m'), { name: 'SomeError' }), 'SomeError', false],
])('what is thrown before an instance is asked: %s', (error, type, nonRetryable) => {
  expect(failureOf(endByError(error, 256))).toMatchObject({ type, nonRetryable, details: [{ begun: false }] });
});

it('a failure of the instance tells whether handlers had begun', () => {
  const failure = { type: 'X', message: 'm', retryable: true };
  const end = endOf({ type: 'failure', failure, usage, begun: true }, 256, undefined);
  expect(failureOf(end)).toMatchObject({ type: 'X', nonRetryable: false, details: [{ begun: true }] });
});

it('meters the records that an attempt was given where its process is lost, but not where nobody wants them any more', () => {
  const input = (live: number) => ({ ref: 'file:x', bytes: 1, counts: { records: 12, live, filtered: 12 - live, dying: 0 } });
  const invocation = { pipeline: 'p', inputs: [input(10), input(9)] } as unknown as StageInvocation;
  const given = (end: AttemptEnd, of = invocation) => {
    const place = { host: 'h', memoryMb: 256, enforcement: 'none', costUsd: 0 } as unknown as Parameters<typeof rowOf>[0];
    const info = { activityId: '1', attempt: 1, currentAttemptScheduledTimestampMs: 0 } as unknown as Parameters<typeof rowOf>[2];
    return rowOf(place, of, info, { startedAt: 0, gateMs: 0, coldStartMs: 0, durationMs: 1 }, end).recordsIn;
  };
  const lost = endOf({ type: 'ended', ended: { why: 'out-of-memory', message: 'm' }, begun: true }, 256, undefined);
  expect([given(lost), given(lost, { ...invocation, slice: { from: 4, to: 7 } })]).toEqual([10, 3]);
  expect(given({ outcome: 'failed', error: new Error('m'), usage: { recordsIn: 2 } as InvocationUsage })).toBe(2);
  expect(given(endByError(new CancelledFailure('c'), 256))).toBe(0);
});
