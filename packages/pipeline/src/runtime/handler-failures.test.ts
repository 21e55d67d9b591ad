import { describe, expect, test } from 'vitest';
import { TerminalError, type RecordState } from '../index.js';
import { death, options, reads, single, state, states } from '../testing/single-function.js';
import { runNodes } from './index.js';

describe('what a handler may throw', () => {
  const throws = (thrown: unknown) => ({
    handle: () => {
      throw thrown;
    },
  });
  test('a terminal error: dead at once, whichever copy of the package it is from', async () => {
    expect(await death(throws(new TerminalError('BAD', 'is bad')))).toEqual({ in: 'f', code: 'BAD', message: 'is bad' });
    expect(
      await death(throws(Object.assign(new Error('is bad'), { code: 'BAD', [Symbol.for('autoflow.TerminalError')]: true }))),
    ).toMatchObject({ code: 'BAD' });
  });

  test('anything else: tried again until the attempts are used up, then dead with its code', async () => {
    const pipeline = single({ ...throws(new RangeError('out')), retry: { maximumAttempts: 3 } });
    let records: readonly RecordState[] = [state(0)];
    const seen = [];
    for (let i = 0; i < 3; i++) {
      const { done, retry } = await runNodes(pipeline, ['f'], records, options());
      seen.push([retry[0]?.retry?.attempts, done[0]?.death]);
      records = retry;
    }
    expect(seen).toEqual([
      [1, undefined],
      [2, undefined],
      [undefined, { in: 'f', code: 'RangeError', message: 'out' }],
    ]);
  });

  test('at the final dispatch, and in a plain write, nothing is tried again', async () => {
    expect(await death(throws(new Error('x')), { final: true })).toMatchObject({ code: 'Error' });
    expect(await death({ ...throws(new Error('x')), effect: 'write' })).toMatchObject({ code: 'Error' });
  });

  test.each<[string, unknown, string, string]>([
    ['a text', 'oh', 'ERROR', 'oh was thrown, which is no Error'],
    ['nothing', undefined, 'ERROR', 'undefined was thrown, which is no Error'],
    [
      'an error with a cause',
      new TypeError('fetch failed', { cause: new Error('connect ECONNREFUSED') }),
      'TypeError',
      'fetch failed: connect ECONNREFUSED',
    ],
    ['credentials', new Error('cannot reach https://user:pass@host/x'), 'Error', 'cannot reach https://…@host/x'],
  ])('%s', async (_, thrown, code, message) => {
    expect(await death(throws(thrown), { final: true })).toEqual({ in: 'f', code, message });
  });

  test('handleBatch that throws: every record of the call is tried again, in its own time', async () => {
    const { done, retry, spans } = await runNodes(
      single({
        handle: undefined,
        handleBatch: async () => {
          throw new Error('down');
        },
      }),
      ['f'],
      states(3),
      options(),
    );
    expect(done).toEqual([]);
    expect(retry.map(({ index }) => index)).toEqual([0, 1, 2]);
    expect(spans).toEqual([{ node: 'f', recordsIn: 3, recordsOut: 0, filtered: 0, dead: 0, retried: 3, wallMs: 0, cpuMs: 0 }]);
  });

  test('a bad record stops no other', async () => {
    const { done, retry } = await runNodes(
      reads(({ n }) => {
        if (n === 1) throw new Error('1');
        if (n === 2) throw new TerminalError('TWO', '2');
        return { m: n };
      }),
      ['f'],
      states(4),
      options(),
    );
    expect(done.map(({ index, death: d, fields }) => [index, d?.code ?? fields['m']])).toEqual([
      [0, 0],
      [2, 'TWO'],
      [3, 3],
    ]);
    expect(retry.map(({ index }) => index)).toEqual([1]);
  });
});
