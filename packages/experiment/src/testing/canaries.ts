/** Canaries made up for tests: heavy tails, batches that share their latency, and troubles that both arms share and that last. */
import { EMPTY_ARM_CELL, type ArmCell } from '@autoflow/topology';
import type { Block } from '../block.js';

export interface Candidate {
  /** Multiplies cost and latency of the candidate. */
  readonly cost?: number;
  readonly latency?: number;
  /** Share of its records that die. */
  readonly dead?: number;
  readonly filtered?: number;
  /** Share of its batches that take ten times as long. */
  readonly slowTail?: number;
}
export interface World {
  /** Of one arm in one block. */
  readonly batches: number;
  readonly batchRecords: number;
  /** Share of the batches, of either arm, all of whose records are dispatched again: something outside was away for a moment. */
  readonly again?: number;
  readonly random: () => number;
}

const CONTROL_P95 = Math.exp(1.645 * 0.8);
const CONTROL_P99 = Math.exp(2.326 * 0.8);
const FILTERED = 0.3;

/** Endless blocks of a canary whose control has a median latency of one. */
export function* canary({ batches, batchRecords, again = 0, random }: World, candidate: Candidate = {}): Generator<Block, never> {
  let trouble = 0;
  for (;;) {
    // Autoregressive: what slows the machine down lasts for some blocks.
    trouble = 0.8 * trouble + 0.1 * normal(random);
    const arm = (of: Candidate, margins: readonly [number, number]): ArmCell => {
      const cell = { ...EMPTY_ARM_CELL } as { -readonly [name in keyof ArmCell]: number };
      for (let left = poisson(batches, random); left > 0; left--) {
        const tail = random() < (of.slowTail ?? 0) ? 10 : 1;
        const latency = Math.exp(0.8 * normal(random) + trouble) * (of.latency ?? 1) * tail;
        const records = 1 + Math.floor(random() * (2 * batchRecords - 1));
        const slow = (limit: number): number => (latency > limit ? records : 0);
        const cost = records * Math.exp(0.5 * normal(random) + trouble / 2) * (of.cost ?? 1);
        cell.records += records;
        cell.latencyMs += records * latency;
        cell.slow95 += slow(CONTROL_P95 * margins[0]);
        cell.slow99 += slow(CONTROL_P99 * margins[1]);
        cell.charged += records;
        cell.costUsd += cost;
        if (again > 0 && random() < again) cell.errors += records;
        for (let record = 0; record < records; record++) {
          const u = random();
          if (u < (of.dead ?? 0)) cell.dead++;
          else if (u > 1 - (of.filtered ?? FILTERED)) cell.filtered++;
        }
      }
      return cell;
    };
    yield { candidate: arm(candidate, [1.1, 1.25]), control: arm({}, [1, 1]) };
  }
}

export function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** Knuth's. */
function poisson(mean: number, random: () => number): number {
  const limit = Math.exp(-mean);
  let [n, product] = [0, random()];
  for (; product > limit; n++) product *= random();
  return n;
}

/** Mulberry32. */
export function uniform(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}
