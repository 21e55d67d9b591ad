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

const conditions = { factor: 2, repetitions: 3, serviceLevelMs: 2000 };

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

it('counts throughput only within the service level, and by most of the repetitions', async () => {
  expect(sustains(cellOf(100, 10, 2001), 2000)).toBe(false);
  expect(sustains({ ...cellOf(100, 10), latency: undefined }, 2000)).toBe(false);
  expect(sustains({ ...cellOf(100, 10), unfinished: 1 }, 2000)).toBe(false);
  expect(sustains(cellOf(9.4, 10), 2000)).toBe(false);
  expect(sustains({ ...cellOf(100, 1), achievedRate: 0.5 }, 2000)).toBe(true);
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
