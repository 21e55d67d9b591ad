import { describe, expect, test, vi } from 'vitest';
import { TerminalError } from '../index.js';
import { options, reads, single, state, states } from '../testing/single-function.js';
import { runNodes } from './index.js';

describe('time', () => {
  test('an asynchronous handler beyond its timeout is tried again, and hears of it', async () => {
    let reason: unknown;
    const pipeline = single({
      timeoutMs: 5,
      handle: (_: unknown, { signal }: { signal: AbortSignal }) =>
        new Promise(() => signal.addEventListener('abort', () => (reason = signal.reason))),
    });
    const { retry } = await runNodes(pipeline, ['f'], [state(0)], options());
    expect(retry[0]?.retry).toMatchObject({
      code: 'TIMEOUT',
      message: expect.stringMatching(/'f' took longer than 5 ms; raise its timeoutMs/),
    });
    expect(reason).toMatchObject({ name: 'TimeoutError' });
  });

  test('cancellation ends the run with its reason, whether or not the handler listens', async () => {
    const controller = new AbortController();
    const run = runNodes(
      reads(() => {
        queueMicrotask(() => controller.abort(new Error('cancelled')));
        return new Promise(() => {});
      }),
      ['f'],
      states(2),
      options({ signal: controller.signal }),
    );
    await expect(run).rejects.toThrow('cancelled');
  });

  test('records come one at a time, in order', async () => {
    const events: string[] = [];
    const handle = async ({ n }: { n: number }) => {
      events.push(`begin ${n}`);
      await new Promise((resolve) => setImmediate(resolve));
      events.push(`end ${n}`);
      return { m: n };
    };
    await runNodes(single({ handle }), ['f'], states(3), options());
    expect(events).toEqual(['begin 0', 'end 0', 'begin 1', 'end 1', 'begin 2', 'end 2']);
  });

  test('progress is told when a function starts and, between records, at most every 250 ms', async () => {
    let now = 0;
    const progress = vi.fn();
    await runNodes(
      reads(({ n }) => ((now += 100), { m: n })),
      ['f'],
      states(8),
      options({ progress, clock: { now: () => now, cpu: () => now / 2 } }),
    );
    expect(progress.mock.calls).toEqual([
      ['f', 30_000],
      ['f', 30_000],
      ['f', 30_000],
    ]);
  });

  test("the guard is around every handler, and what it throws is the handler's", async () => {
    const guarded: string[] = [];
    const guard = <T>(node: string, call: () => T): T => {
      guarded.push(node);
      const answer = call();
      if (guarded.length === 2) throw new TerminalError('FORBIDDEN', 'network');
      return answer;
    };
    const { done } = await runNodes(
      reads(({ n }) => ({ m: n })),
      ['f'],
      states(2),
      options({ guard }),
    );
    expect(guarded).toEqual(['f', 'f']);
    expect(done.map((record) => record.death?.code)).toEqual([undefined, 'FORBIDDEN']);
  });
});
