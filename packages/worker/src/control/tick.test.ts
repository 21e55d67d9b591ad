import { describe, expect, test } from 'vitest';
import type { KeptTick, MeasuredInterval } from '@autoflow/store';
import { tickOf, type Observable } from './tick.js';

const INTERVAL_MS = 15_000;
const NAMES = ['read', 'work', 'write'] as const;
const subject = {
  stages: NAMES.map((name) => ({ name, partitions: 1 })),
  pipeline: { intervalMs: INTERVAL_MS, stages: NAMES.map((name) => ({ name, concurrency: { min: 1, max: 32 } })) },
  allocation: { stages: Object.fromEntries(NAMES.map((name) => [name, { memoryMb: 512, concurrency: 4 }])) },
  batchRecords: 100,
} as unknown as Observable;

interface Shown {
  readonly opened?: number;
  readonly records?: number;
  readonly waiting?: number;
  readonly feeding?: string;
  readonly served?: readonly number[];
  readonly present?: readonly number[];
}

/** Intervals of which this is measured, each told after the one before it. */
function told(rows: readonly Shown[]): KeptTick[] {
  const kept: KeptTick[] = [];
  rows.forEach(({ opened = 0, records = opened, waiting = 0, feeding = 'as before', served = [0, 0, 0], present = [0, 0, 0] }, i) => {
    const stage = (s: number) => ({
      present: present[s]!,
      served: served[s]!,
      serviceMs: 400 * served[s]!,
      busy: 1,
      workingSetMb: 0,
      outOfMemory: 0,
    });
    const measured = {
      from: new Date(i * INTERVAL_MS),
      to: new Date((i + 1) * INTERVAL_MS),
      opened,
      openedRecords: records,
      lateRecords: 0,
      waitingRecords: waiting,
      feeding,
      stages: Object.fromEntries(NAMES.map((name, s) => [name, stage(s)])),
    } as unknown as MeasuredInterval;
    kept.push(tickOf(subject, measured, kept.at(-1), kept.at(-1)?.recordsPerBatch));
  });
  return kept;
}
const of = (kept: readonly KeptTick[], what: 'arrivals' | 'queued') => kept.map(({ tick }) => tick.stages.map((stage) => stage[what]));

describe('what came', () => {
  test('counts once, when it comes to wait, and not again when it is opened or served', () => {
    const kept = told([
      {},
      { opened: 20, waiting: 180, served: [20, 20, 20] },
      { opened: 100, waiting: 80, served: [100, 100, 100] },
      { opened: 80, served: [80, 80, 80] },
      {},
    ]);
    expect(kept.map(({ tick }) => tick.arrived)).toEqual([0, 200, 0, 0, 0]);
    expect(of(kept, 'arrivals')).toEqual([0, 200, 0, 0, 0].map((came) => [came, came, came]));
    expect(of(kept, 'queued').map(([first]) => first)).toEqual([0, 180, 80, 0, 0]);
  });

  test('is not less for what waits for another version by now, or for nobody; and more for what waits for this one', () => {
    const working = { opened: 50, served: [50, 50, 50] };
    const kept = told([
      { ...working, waiting: 800 },
      { ...working, waiting: 100, feeding: 'a canary' },
      { ...working, waiting: 90, feeding: 'a canary' },
      { ...working, waiting: 700 },
    ]);
    expect(kept.map(({ tick }) => tick.arrived)).toEqual([50, 50, 40, 660]);
    expect(of(kept, 'arrivals').map(([first]) => first)).toEqual([50, 50, 40, 660]);
  });

  test('is what is in a stage more than before, as the twin counts it', () => {
    const kept = told([{}, { opened: 30, served: [20, 10, 10], present: [10, 10, 0] }, { served: [10, 20, 20] }]);
    expect(of(kept, 'arrivals').slice(1)).toEqual([
      [30, 20, 10],
      [0, 10, 20],
    ]);
  });
});

describe('what waits', () => {
  test('is as many batches as records would be opened in: as last, or as the topology says', () => {
    expect(of(told([{}, { waiting: 1_000 }]), 'queued')[1]).toEqual([10, 10, 10]);
    expect(of(told([{ opened: 4, records: 200, served: [4, 4, 4] }, { waiting: 1_000 }]), 'queued')[1]).toEqual([20, 20, 20]);
  });

  test('is shown to a stage that stands idle only as it comes, while nothing is opened', () => {
    const kept = told([{}, { waiting: 10_000 }, { waiting: 10_000 }, { waiting: 10_200 }]);
    expect(of(kept, 'queued').slice(1)).toEqual([
      [100, 100, 100],
      [0, 0, 0],
      [2, 2, 2],
    ]);
  });

  test('is shown to a stage as far as the others can let it through: not past one that is full and ends nothing', () => {
    const full = { opened: 1, records: 1, waiting: 500 };
    const kept = told([
      { ...full, served: [1, 0, 0], present: [0, 8, 0] },
      { ...full, waiting: 600, served: [1, 0, 0], present: [0, 9, 0] },
    ]);
    // The full one is shown what the first can let through at its most: 32 instances of 400 ms.
    expect(of(kept, 'queued')[1]).toEqual([0, 5 + 600, 0]);
    const slow = told([{ opened: 2_000, waiting: 5_000, served: [2_000, 2_000, 2_000] }]);
    expect(of(slow, 'queued')[0]).toEqual([1_200, 1_200, 1_200]);
  });
});
