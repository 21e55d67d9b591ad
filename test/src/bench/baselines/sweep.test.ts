import { expect, it } from 'vitest';
import type { Cell, Side } from './cell.js';
import { sustains, sweep } from './sweep.js';

const side = (name: string, firstRate: number): Side => ({ name, firstRate, batch: 1, lingerMs: 0, version: undefined as never });

/** A side that handles so many records per second: above, they wait. */
const cellOf = (capacity: number, rate: number, p99 = rate > capacity ? 9_000 : 100): Cell =>
  ({
    rate,
    offeredRate: rate,
    achievedRate: Math.min(rate, capacity),
    unfinished: 0,
    latency: { count: 1, mean: p99, p50: p99, p95: p99, p99, max: p99 },
  }) as unknown as Cell;

const conditions = { factor: 2, repetitions: 3, serviceLevelMs: 2000, seconds: 1010, warmUpSeconds: 10 };

it('raises the rate of each side until it is saturated, and lets sides take turns', async () => {
  const calls: string[] = [];
  const standings = await sweep(
    [side('slow', 1), side('fast', 10)],
    conditions,
    async ({ name }, rate, repetition) => {
      calls.push(`${name} ${rate} ${repetition}`);
      return cellOf(name === 'slow' ? 3 : 50, rate);
    },
    () => {},
  );
  expect(standings.map(({ name, saturation }) => [name, saturation])).toEqual([['slow', 2], ['fast', 40]]); // prettier-ignore
  expect(standings.map(({ cells }) => cells.length)).toEqual([9, 12]);
  expect(calls.slice(0, 6)).toEqual(['slow 1 0', 'fast 10 0', 'fast 10 1', 'slow 1 1', 'slow 1 2', 'fast 10 2']);
});

it('counts throughput only within the service level', async () => {
  expect(sustains(cellOf(100, 10, 2001), conditions)).toBe(false);
  expect(sustains({ ...cellOf(100, 10), latency: undefined }, conditions)).toBe(false);
  expect(sustains({ ...cellOf(100, 10), unfinished: 1 }, conditions)).toBe(false);
  expect(sustains(cellOf(9.4, 10), conditions)).toBe(false);
  expect(sustains({ ...cellOf(100, 10), achievedRate: 9 }, conditions)).toBe(false);
});

it('does not call a short cell saturated for the luck of few records, nor a rate beyond what can be done sustained', () => {
  const short = { ...conditions, seconds: 25, warmUpSeconds: 5 };
  expect(sustains({ ...cellOf(100, 1), achievedRate: 0.6 }, short)).toBe(true);
  expect(sustains({ ...cellOf(100, 1), achievedRate: 0.4 }, short)).toBe(false);
  expect(sustains({ ...cellOf(500, 410), achievedRate: 370 }, short)).toBe(false);
});

it('goes by most of the repetitions', async () => {
  const [one] = await sweep([side('one', 10)], conditions, async (_, rate, repetition) => cellOf(rate === 10 && repetition === 0 ? 1 : 10, rate), () => {}); // prettier-ignore
  expect(one!.saturation).toBe(10);
});

it('lowers the rate of a side that the first one is too much for', async () => {
  const cell = async (_: Side, rate: number): Promise<Cell> => cellOf(3, rate);
  const [one, never] = await sweep([side('one', 10)], conditions, cell, () => {});
  expect([one!.saturation, one!.cells.at(-1)!.rate, never]).toEqual([2.5, 2.5, undefined]);
  const [dead] = await sweep(
    [side('dead', 10)],
    conditions,
    async (_, rate) => cellOf(0, rate),
    () => {},
  );
  expect(dead!.saturation).toBe(0);
});
