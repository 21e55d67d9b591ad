/** Canaries made up for tests: heavy tails, batches that share their latency, and troubles that both arms share and that last. */
import { EMPTY_ARM_CELL, perSlow, ROLLOUT_DEFAULTS, SLOW, type ArmCell, type Margins, type SlowRecords } from '@autoflow/topology';
import type { Block } from '../block.js';
import { LatestFirst } from './latest-first.js';

export interface Candidate {
  /** Multiplies cost and latency of the candidate. */
  readonly cost?: number;
  readonly latency?: number;
  /** Share of its records that die. */
  readonly dead?: number;
  readonly filtered?: number;
  /** Share of its batches that take so many times as long, and how many; default: ten. */
  readonly slowTail?: number;
  readonly slowTimes?: number;
}
export interface World {
  /** Of one arm in one block. */
  readonly batches: number;
  readonly batchRecords: number;
  /** Share of the batches, of either arm, all of whose records are dispatched again: something outside was away for a moment. */
  readonly again?: number;
  readonly random: () => number;
}

/** A block before anything is known of the others: of its batches, latest first, their latency and their records. */
export interface RawBlock extends Block {
  readonly latencies: { readonly [arm in keyof Block]: readonly (readonly [latency: number, records: number])[] };
}

const FILTERED = 0.3;

/** Endless blocks of a canary whose control has a median latency of one. What is slow is not told yet: see `observer`. */
export function* canary({ batches, batchRecords, again = 0, random }: World, candidate: Candidate = {}): Generator<RawBlock, never> {
  let trouble = 0;
  for (;;) {
    // Autoregressive: what slows the machine down lasts for some blocks.
    trouble = 0.8 * trouble + 0.1 * normal(random);
    const latencies = { candidate: [] as [number, number][], control: [] as [number, number][] };
    const arm = (name: keyof Block, of: Candidate): ArmCell => {
      const cell = { ...EMPTY_ARM_CELL } as { -readonly [name in keyof ArmCell]: number };
      for (let left = poisson(batches, random); left > 0; left--) {
        const tail = random() < (of.slowTail ?? 0) ? (of.slowTimes ?? 10) : 1;
        const latency = Math.exp(0.8 * normal(random) + trouble) * (of.latency ?? 1) * tail;
        const records = 1 + Math.floor(random() * (2 * batchRecords - 1));
        latencies[name].push([latency, records]);
        const cost = records * Math.exp(0.5 * normal(random) + trouble / 2) * (of.cost ?? 1);
        cell.records += records;
        cell.latencyMs += records * latency;
        cell.charged += records;
        cell.executions++;
        cell.costUsd += cost;
        if (again > 0 && random() < again) cell.errors += records;
        for (let record = 0; record < records; record++) {
          const u = random();
          if (u < (of.dead ?? 0)) cell.dead++;
          else if (u > 1 - (of.filtered ?? FILTERED)) cell.filtered++;
        }
      }
      latencies[name].sort(([a], [b]) => b - a);
      return cell;
    };
    yield { candidate: arm('candidate', candidate), control: arm('control', {}), latencies };
  }
}

/** Tells all blocks so far as the store does, by the usual margins: what is slow is told by the quantiles of the control in all of them together. */
export function observer({ p95, p99 }: Pick<Margins, 'p95' | 'p99'> = ROLLOUT_DEFAULTS.margins): {
  add(block: RawBlock): number;
  seen(): Block[];
} {
  const blocks: { readonly block: Block; readonly latencies: { readonly [arm in keyof Block]: LatestFirst } }[] = [];
  let all = LatestFirst.NONE;
  const told = (cell: ArmCell, latencies: LatestFirst, limits: SlowRecords): ArmCell => ({
    ...cell,
    ...perSlow((slow) => latencies.beyond(limits[slow])),
  });
  return {
    add: ({ latencies, ...block }) => {
      const [candidate, control] = [LatestFirst.of(latencies.candidate), LatestFirst.of(latencies.control)];
      all = all.with(control);
      return blocks.push({ block, latencies: { candidate, control } });
    },
    seen: () => {
      const theirs = perSlow((slow) => all.quantile(1 - SLOW[slow].quantile));
      const by = { p95: 1 + p95!, p99: 1 + p99! };
      const ours = perSlow((slow) => by[SLOW[slow].guardrail] * theirs[slow]);
      return blocks.map(({ block, latencies }) => ({
        candidate: told(block.candidate, latencies.candidate, ours),
        control: told(block.control, latencies.control, theirs),
      }));
    },
  };
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
