import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { TokenBucket } from './token-bucket.js';

const never = new AbortController().signal;

describe('TokenBucket', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  /** When each of `count` takers was served, in milliseconds. */
  async function times(bucket: TokenBucket, count: number, forMs: number): Promise<number[]> {
    const begin = performance.now();
    const served: number[] = [];
    for (let i = 0; i < count; i++) void bucket.take(new AbortController().signal).then(() => served.push(performance.now() - begin));
    await vi.advanceTimersByTimeAsync(forMs);
    return served;
  }

  it('keeps to its rate in every window, and reaches it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.double({ min: 0.5, max: 400, noNaN: true }), async (rate) => {
        const bucket = new TokenBucket();
        bucket.setRate(rate);
        const served = await times(bucket, Math.ceil(rate * 6), 5_000);
        expect(served.length).toBeGreaterThanOrEqual(Math.floor(rate * 5 * 0.9) - 1);
        const burst = Math.max(1, rate / 10);
        for (const [i, from] of served.entries()) {
          const within = served.slice(i).filter((at) => at < from + 1000).length;
          expect(within).toBeLessThanOrEqual(Math.ceil(rate + burst) + 1e-6);
        }
      }),
      { numRuns: 20 },
    );
  });

  it('serves in turn, forgets who gives up, and nobody without a rate', async () => {
    const bucket = new TokenBucket();
    const served: string[] = [];
    const giving = new AbortController();
    for (const [name, signal] of [
      ['a', never],
      ['b', giving.signal],
      ['c', never],
    ] as const)
      bucket.take(signal).then(
        () => served.push(name),
        (error: Error) => served.push(`${name} ${error.message}`),
      );
    await vi.advanceTimersByTimeAsync(10_000);
    expect(served).toEqual([]);
    giving.abort(new Error('gave up'));
    bucket.setRate(1);
    await vi.advanceTimersByTimeAsync(2_500);
    expect(served).toEqual(['b gave up', 'a', 'c']);
    expect(bucket.waiting).toBe(0);
  });

  it('lets nobody through while it is not open, whatever the rate was', async () => {
    let open = true;
    const bucket = new TokenBucket(() => open);
    bucket.setRate(10);
    await vi.advanceTimersByTimeAsync(1_000);
    open = false;
    expect(await times(bucket, 3, 5_000)).toEqual([]);
    open = true;
    bucket.setRate(10);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(bucket.waiting).toBe(0);
  });
});
