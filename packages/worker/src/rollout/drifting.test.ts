import { normal, uniform } from '@autoflow/experiment/testing';
import type { Store, WorkloadRow } from '@autoflow/store';
import { expect, test } from 'vitest';
import { driftSince, LOOK_EVERY_MS } from './drifting.js';

const BLOCK_MS = 600_000;
const DAY = 144;
const MONTH = 30 * DAY;
const DECIDED = 1_000 * DAY * BLOCK_MS + 37 * BLOCK_MS;

interface Change {
  readonly rate?: number;
  readonly bytes?: number;
  readonly filtered?: number;
  /** Days behind the decision; default: at once. */
  readonly after?: number;
}

/**
 * The day before a decision and a month behind it, in blocks: by day ten times as much comes as by night, in smaller records of which more are filtered;
 * days differ from each other, and so do blocks, of which those that follow each other are alike.
 */
function monthOf(seed: number, { rate = 1, bytes = 1, filtered = 1, after = 0 }: Change = {}): readonly WorkloadRow[] {
  const random = uniform(seed);
  let [mood, day] = [0, 0];
  return Array.from({ length: DAY + MONTH }, (_, block) => {
    if (block % DAY === 0) day = 0.05 * normal(random);
    mood = 0.7 * mood + 0.1 * normal(random);
    const sun = Math.sin((2 * Math.PI * (block + 37)) / DAY);
    const changed = block >= DAY * (1 + after);
    const records = Math.max(1, Math.round(400 * (changed ? rate : 1) * Math.exp(1.15 * sun + mood + day)));
    const share = Math.min(0.9, 0.2 * (1 + 0.5 * sun) * (changed ? filtered : 1));
    return {
      at: DECIDED + (block - DAY) * BLOCK_MS,
      records,
      bytes: records * 2_000 * (changed ? bytes : 1) * (1 - 0.3 * sun) * Math.exp((0.8 * normal(random)) / Math.sqrt(records)),
      settled: records,
      filtered: Math.round(records * share + Math.sqrt(records * share * (1 - share)) * normal(random)),
    };
  });
}

/** The look, in days behind the decision, at which it is first said to have drifted; undefined: at none of a month's. */
async function alarmOf(rows: readonly WorkloadRow[]): Promise<{ days: number; reasons: readonly string[] } | undefined> {
  const workload: Store['comparisons']['workload'] = async ({ from, to }) => {
    const [first, last] = [from, to].map((at) => Math.round((at - rows[0]!.at) / BLOCK_MS)) as [number, number];
    return rows.slice(Math.max(0, first), last);
  };
  const store = { comparisons: { workload } } as never;
  const decision = { pipeline: 'orders', at: new Date(DECIDED) };
  for (let at = DECIDED; at <= DECIDED + MONTH * BLOCK_MS; at += LOOK_EVERY_MS) {
    const { reasons } = await driftSince(decision, store, new Date(at));
    if (reasons.length > 0) return { days: (at - DECIDED) / (DAY * BLOCK_MS), reasons };
  }
  return undefined;
}

test('within the band a workload with days and nights is called drifted in at most one month of a hundred, with a look every ten minutes', async () => {
  expect(LOOK_EVERY_MS).toBe(600_000);
  let alarms = 0;
  for (let seed = 0; seed < 12; seed++) {
    if (await alarmOf(monthOf(seed))) alarms++;
    // Near its edge.
    if (await alarmOf(monthOf(1_000 + seed, { rate: 1.7, bytes: 1.15, filtered: 0.88 }))) alarms++;
  }
  expect(alarms).toBeLessThanOrEqual(1);
}, 120_000);

test.each<[string, Change, RegExp]>([
  ['four times the records', { rate: 4 }, /^rate is [34]\.\d+ times .*, in \d+\.\d hours of the last day beside the same ones before/],
  ['larger records', { bytes: 2 }, /^bytes per record is [12]\.\d+ times/],
  ['more that is filtered', { filtered: 2 }, /^share that is filtered is [12]\.\d+ times/],
])('%s are seen within a day, whether they come at once or after two weeks', async (_, change, reason) => {
  for (const after of [0, 14]) {
    const found = (await alarmOf(monthOf(7, { ...change, after })))!;
    expect(found.days - after).toBeGreaterThan(0);
    expect(found.days - after).toBeLessThan(1);
    expect(found.reasons[0]).toMatch(reason);
  }
});
