import { describe, expect, it } from 'vitest';
import { latencies, RATES_LATENCY } from './latency.js';
import { startRatesServer } from './server.js';

it('the latency has the stated median and 99th percentile, and repeats with its seed', () => {
  const next = latencies(RATES_LATENCY, 1);
  const drawn = Array.from({ length: 100_000 }, next);
  const sorted = drawn.toSorted((a, b) => a - b);
  expect(sorted[50_000]).toBeCloseTo(20, -0.3);
  expect(sorted[99_000]! / 80).toBeCloseTo(1, 1);
  expect(Array.from({ length: 3 }, latencies(RATES_LATENCY, 1))).toEqual(drawn.slice(0, 3));
});

describe('the rate service', () => {
  it('answers the known currencies of a day, the same every time, and refuses the rest', async () => {
    await using server = await running();
    const ask = async (path: string) => {
      const answer = await fetch(`${server.url}${path}`);
      return { status: answer.status, body: (await answer.json()) as { rates?: Record<string, number> } };
    };
    const first = await ask('/rates/2010-12-01?symbols=EUR,GBP,XXX');
    expect(first).toMatchObject({
      status: 200,
      body: { day: '2010-12-01', base: 'GBP', rates: { GBP: 1_000_000, EUR: expect.any(Number) } },
    });
    expect(Object.keys(first.body.rates!)).toEqual(['EUR', 'GBP']);
    expect(await ask('/rates/2010-12-01?symbols=EUR,GBP,XXX')).toEqual(first);
    expect((await ask('/rates/2010-12-02?symbols=EUR')).body.rates).not.toEqual({ EUR: first.body.rates!['EUR'] });
    expect((await ask('/rates/yesterday')).status).toBe(404);
    expect(server.requests()).toBe(4);
  });
});

const running = async () => {
  const server = await startRatesServer();
  return Object.assign(server, { [Symbol.asyncDispose]: () => server.stop() });
};
