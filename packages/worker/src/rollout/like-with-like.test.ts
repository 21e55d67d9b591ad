/** A version that has nearly all of the traffic beside its holdout: batches fill by lane, and fuller batches are no gain of the version. */
import { comparisonOf, savedIn } from '@autoflow/experiment';
import { normal, observer, uniform } from '@autoflow/experiment/testing';
import { BUCKETS, bucketsOf, type ArmBlock, type Arms, type ComparisonQuery, type RolloutRow, type Stream } from '@autoflow/store';
import { EMPTY_ARM_CELL, ROLLOUT_DEFAULTS, type ArmCell } from '@autoflow/topology';
import { expect, it } from 'vitest';
import { lanesOf } from '../feeding/lanes.js';
import { mayWaitMs } from '../feeding/ripeness.js';
import { evaluate } from './evaluate.js';

const RATE = 40;
const FULL = { records: 50, bytes: Infinity };
const LINGER_MS = 500;
/** Mostly per batch, and fuller batches take longer. */
const COST = { batch: 1e-4, record: 2e-6 };
const SERVICE_MS = { batch: 200, record: 10 };

interface Batch {
  readonly arrivals: readonly number[];
  readonly closedAt: number;
  readonly costUsd: number;
}
/** Of a version: its batches cost so many times as much. */
type Costs = { readonly [version: string]: number };

/** What one lane of the traffic does until then (ms): Poisson arrivals by its share of the buckets, batches as the feeder makes them. */
function laneOf(
  arms: Arms,
  { arm, version }: Pick<ReturnType<typeof lanesOf>[number], 'arm' | 'version'>,
  untilMs: number,
  random: () => number,
  times: Costs,
): Batch[] {
  const [first, last] = bucketsOf(arms, arm as 'stable')!;
  const perMs = (RATE * (last - first + 1)) / BUCKETS / 1_000;
  const batches: Batch[] = [];
  let open: number[] = [];
  const close = (at: number): void => {
    const ms = (SERVICE_MS.batch + SERVICE_MS.record * open.length) * Math.exp(0.2 * normal(random));
    const costUsd = (COST.batch + COST.record * open.length) * Math.exp(0.3 * normal(random)) * (times[version] ?? 1);
    batches.push({ arrivals: open, closedAt: at + ms, costUsd });
    open = [];
  };
  for (let now = 0; ;) {
    now -= Math.log(1 - random()) / perMs;
    const [oldest] = open;
    if (oldest !== undefined && now - oldest >= LINGER_MS) close(oldest + LINGER_MS);
    if (now >= untilMs) return batches;
    open.push(now);
    if (mayWaitMs({ records: open.length, bytes: 0, oldestMs: now - open[0]! }, FULL, LINGER_MS) === 0) close(now);
  }
}

/** The same traffic, however often it is asked about: what is asked for of its lanes is told as the store tells it. */
function traffic(arms: Arms, seed: number, times: Costs = {}) {
  const lanes = lanesOf({ pipeline: 'orders', stream: '', scope: 'live' } satisfies Stream, arms);
  const ran = new Map<string, Batch[]>();
  const of = ({ arm, version }: ComparisonQuery['ours'], untilMs: number): Batch[] => {
    const at = lanes.findIndex((lane) => lane.arm === arm && (version ?? lane.version) === lane.version);
    if (at < 0) return [];
    if (!ran.has(arm)) ran.set(arm, laneOf(arms, lanes[at]!, untilMs, uniform(10 * seed + at), times));
    return ran.get(arm)!;
  };
  return (untilMs: number) =>
    async ({ ours, theirs, from, to, blockMs, slower = { p95: 1, p99: 1 } }: ComparisonQuery): Promise<ArmBlock[]> => {
      const raw = Array.from({ length: Math.floor((to - from) / blockMs) }, () => ({ ours: openCell(), theirs: openCell() }));
      const at = (ms: number): number => Math.floor((ms - from) / blockMs);
      for (const batch of of(ours, untilMs)) add(batch, at, (block) => raw[block]?.ours);
      for (const batch of of(theirs, untilMs)) add(batch, at, (block) => raw[block]?.theirs);
      const told = observer({ p95: slower.p95 - 1, p99: slower.p99 - 1 });
      for (const { ours, theirs } of raw)
        told.add({
          ...{ candidate: ours.cell, control: theirs.cell },
          latencies: { candidate: latestFirst(ours), control: latestFirst(theirs) },
        });
      return told.seen().map(({ candidate, control }, i) => ({ at: from + i * blockMs, ours: candidate, theirs: control }));
    };
}

/** A cell before it is known what is slow. */
interface OpenCell {
  readonly cell: { -readonly [name in keyof ArmCell]: number };
  readonly latencies: number[];
}
const openCell = (): OpenCell => ({ cell: { ...EMPTY_ARM_CELL }, latencies: [] });
const latestFirst = ({ latencies }: OpenCell) => latencies.sort((a, b) => b - a).map((ms) => [ms, 1] as const);

function add(
  { arrivals, closedAt, costUsd }: Batch,
  blockAt: (ms: number) => number,
  cellOf: (block: number) => OpenCell | undefined,
): void {
  for (const arrivedAt of arrivals) {
    const into = cellOf(blockAt(arrivedAt));
    if (into === undefined) continue;
    const ms = closedAt - arrivedAt;
    into.cell.records++;
    into.cell.latencyMs += ms;
    into.latencies.push(ms);
  }
  const closed = cellOf(blockAt(closedAt))?.cell;
  if (closed === undefined) return;
  closed.charged += arrivals.length;
  closed.costUsd += costUsd;
}

const MINUTE_MS = 60_000;
const common = { revision: 1, feedingPaused: false };
const FULL_STEP: Arms = {
  ...common,
  stable: { version: 'v1', revision: 1 },
  candidate: { version: 'v2', share: 9_000 },
  control: { version: 'v2', share: 500 },
  holdout: { version: 'v1', share: 500 },
};
const ROW = {
  ...{ id: 'ro-1', pipeline: 'orders', version: 'v2', baseline: 'v1', heldMs: 0 },
  settings: { ...ROLLOUT_DEFAULTS, steps: [100] },
  steps: [{ percent: 100, from: 0, sliced: true }],
} as unknown as RolloutRow;

/** How the 100 % step ends that is looked at ten times in half an hour. */
async function ended(seed: number, times?: Costs): Promise<string> {
  const blocks = traffic(FULL_STEP, seed, times)(30 * MINUTE_MS);
  for (let now = 3 * MINUTE_MS; now <= 30 * MINUTE_MS; now += 3 * MINUTE_MS) {
    const { decision } = await evaluate(ROW, false, { comparisons: { clock: async () => now, blocks } as never });
    if (decision !== 'continue') return decision;
  }
  return 'undecided';
}

it('of 40 versions that change nothing, all of the traffic but the holdout promotes and rolls back at most 5 % each', async () => {
  const ends = await Promise.all(Array.from({ length: 40 }, (_, seed) => ended(seed)));
  expect(ends.filter((end) => end === 'promote').length).toBeLessThanOrEqual(2);
  expect(ends.filter((end) => end === 'roll-back').length).toBeLessThanOrEqual(2);
});

it('a version that costs twice as much is rolled back there', async () => {
  const ends = await Promise.all(Array.from({ length: 5 }, (_, seed) => ended(seed, { v2: 2 })));
  expect(ends).toEqual(Array<string>(5).fill('roll-back'));
});

it('of a step that began before there were slices, all of the candidate is compared', async () => {
  const asked: object[] = [];
  const blocks = async ({ ours, theirs }: ComparisonQuery) => (asked.push({ ours, theirs }), []);
  const expected = async (steps: readonly object[]) => {
    const row = { ...ROW, steps } as unknown as RolloutRow;
    const { judgement } = await evaluate(row, false, { comparisons: { clock: async () => MINUTE_MS, blocks } as never });
    return judgement.full!.sampleRatio.expected;
  };
  expect(await expected([{ percent: 100, from: 0 }])).toBe(0.95);
  expect(await expected(ROW.steps)).toBe(0.5);
  const theirs = { arm: 'holdout' };
  expect(asked).toEqual([
    { ours: { arm: 'candidate' }, theirs },
    { ours: { arm: 'control', version: 'v2' }, theirs },
  ]);
});

const PROMOTED: Arms = {
  ...common,
  stable: { version: 'v2', revision: 2 },
  control: { version: 'v2', share: 500 },
  holdout: { version: 'v1', share: 500 },
};
const HOURS_MS = 3 * 3_600_000;
const RECORDS = (0.95 * RATE * HOURS_MS) / 1_000;

/** Three hours of the ledger. */
async function ledger(seed: number, times?: Costs) {
  const query = comparisonOf({ version: 'v2', against: 'v1', from: 0, to: HOURS_MS });
  return savedIn(await traffic(PROMOTED, seed, times)(HOURS_MS)({ pipeline: 'orders', ...query }), RECORDS);
}

it('of 20 ledgers of versions that change nothing, the interval has nothing saved in all but one, and latency the same', async () => {
  const found = await Promise.all(Array.from({ length: 20 }, (_, seed) => ledger(seed)));
  const hasNothing = ({ low, high }: { low: number; high: number }) => low <= 0 && high >= 0;
  expect(found.filter(({ savedUsd }) => hasNothing(savedUsd!)).length).toBeGreaterThanOrEqual(19);
  expect(found.filter(({ savedMs }) => hasNothing(savedMs!)).length).toBeGreaterThanOrEqual(19);
  const spent = found.map(({ records, costPer1000 }) => (records * costPer1000.holdout!) / 1_000);
  expect(Math.max(...found.map(({ savedUsd }, at) => Math.abs(savedUsd!.estimate) / spent[at]!))).toBeLessThan(0.05);
});

it('what batches that cost 30 % less save is within the interval, of all records at the rate of the slice', async () => {
  const found = await Promise.all(Array.from({ length: 20 }, (_, seed) => ledger(100 + seed, { v2: 0.7 })));
  const all = await Promise.all(Array.from({ length: 20 }, (_, seed) => ledger(200 + seed)));
  const usual = all.reduce((sum, { costPer1000 }) => sum + costPer1000.holdout! / 1_000, 0) / all.length;
  const isWithin = ({ low, high }: { low: number; high: number }) =>
    low <= 0.3 * usual * RECORDS && 0.3 * usual * RECORDS <= high && low > 0;
  expect(found.filter(({ savedUsd }) => isWithin(savedUsd!)).length).toBeGreaterThanOrEqual(19);
});
