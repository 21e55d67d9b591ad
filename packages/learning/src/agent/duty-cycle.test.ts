import { beforeEach, describe, expect, it, test } from 'vitest';
import { DutyCycle, waiting, type Machine } from './duty-cycle.js';

const CORES = 2;
/** Computes for ten milliseconds in each piece; what the others of the machine do meanwhile is set. */
let others: { usual: number; nice: number };
let isNiceCounted: boolean;
let slept: number;
let machine: Machine;
let piece: () => void;
beforeEach(() => {
  let [at, computed, busy, nice] = [0, 0, 0, 0];
  others = { usual: 0, nice: 0 };
  isNiceCounted = true;
  slept = 0;
  const passes = (ms: number): void => {
    at += ms;
    busy += ms * (others.usual + others.nice);
    nice += ms * others.nice;
  };
  piece = () => {
    passes(10);
    computed += 10;
    busy += 10;
    nice += 10;
  };
  machine = {
    now: () => at,
    computed: () => computed,
    cores: () => ({ count: CORES, busy, nice: isNiceCounted ? nice : 0 }),
    sleep(ms) {
      slept += ms;
      passes(ms);
    },
  };
});

/** What it sleeps after a piece, on average, once it has seen what the others do. */
function sleptAfterPieces(cycle: DutyCycle): number {
  const pieces = (count: number): void => {
    for (let i = 0; i < count; i++) {
      piece();
      cycle.rest();
    }
  };
  pieces(100);
  slept = 0;
  pieces(200);
  return slept / 200;
}

describe('a process of low priority', () => {
  it('uses its share of a core while the others use the machine, and all that it gets as soon as they do not', () => {
    const cycle = new DutyCycle(1 / 20, machine);
    others.usual = 1;
    expect(sleptAfterPieces(cycle)).toBeCloseTo(190);
    others.usual = 0.2;
    expect(sleptAfterPieces(cycle)).toBe(0);
    others.usual = 1;
    expect(sleptAfterPieces(cycle)).toBeCloseTo(190);
  });

  it('is not held up by others of low priority, nor takes itself for another where they are not counted', () => {
    others.nice = 1;
    expect(sleptAfterPieces(new DutyCycle(1 / 20, machine))).toBe(0);
    others.nice = 0;
    isNiceCounted = false;
    expect(sleptAfterPieces(new DutyCycle(1 / 20, machine))).toBe(0);
  });

  it('takes all that it gets where it was told to', () => {
    others.usual = 1;
    expect(sleptAfterPieces(new DutyCycle(1, machine))).toBe(0);
  });
});

test('how many find all cores busy is what Erlang says', () => {
  expect(waiting(0.3, 1)).toBeCloseTo(0.3);
  expect(waiting(1, 2)).toBeCloseTo(1 / 3);
  expect(waiting(2, 3)).toBeCloseTo(4 / 9);
  expect(waiting(0, 31)).toBe(0);
  expect(waiting(8, 15)).toBeLessThan(0.05);
  expect(waiting(2, 2)).toBe(1);
  expect(waiting(0.5, 0)).toBeCloseTo(0.5);
});
