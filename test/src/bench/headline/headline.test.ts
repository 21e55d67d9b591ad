import { expect, it } from 'vitest';
import type { BenchDocument } from '../report.js';
import type { Cell, HeadlineFigures, Results, Varying } from './figures.js';
import { constantCell } from './cell.js';
import type { ColdStart } from './cold-start.js';
import { commonRate } from './experiment.js';
import { Lab } from './lab.js';
import { NAMES } from './names.js';
import { Labs, partsOf } from './parts.js';
import { nextShare, saturationOf } from './rates.js';
import { analysed } from './report/analysis.js';
import { barsOf } from './report/bars.js';
import { render } from './report/render.js';
import { barLine, holds } from '../report.js';
import { QUICK } from './conditions.js';
import { burstyFunctions, dayOfInvoices } from './varying.js';

const cell = (side: string, repetition: number, values: Partial<Cell> & { ms?: number; usd?: number } = {}): Cell => {
  const { ms = 100, usd = 0.1, ...own } = values;
  return {
    side,
    version: 'v1',
    load: 'constant',
    rate: 10,
    repetition,
    offeredRate: 10,
    achievedRate: 10,
    latency: { count: 100, mean: ms, p50: ms, p95: ms, p99: ms, max: ms },
    costPer1000: { all: usd, withoutActions: usd / 10 },
    utilisation: { memory: 0.1, instances: 0.1 },
    heldMbSPer1000: 1000,
    outcomes: { completed: 100, filtered: 0, dead: 0, cancelled: 0 },
    backlog: 0,
    unfinished: 0,
    late: 0,
    changes: {},
    invalid: [],
    ...own,
  };
};

const capacity = (side: string, digest: string) => ({ side, plan: 'p', perSecond: 10, bursts: [10], digest, counts: { completed: 1, filtered: 0, dead: 0, cancelled: 0 } }); // prettier-ignore

function results(varying: readonly Varying[] = []): Results {
  const two = [0, 1];
  return {
    conditions: QUICK,
    load: 'invoices',
    release: 'r',
    code: 'c',
    missing: [],
    sides: [],
    coldStarts: [],
    forVarying: [],
    capacities: [capacity(NAMES.written, 'same'), capacity(NAMES.autoflow, 'same')],
    commonRate: 7,
    rates: two.flatMap((r) => [
      cell(NAMES.written, r, { achievedRate: 10 + r, offeredRate: 10 + r }),
      cell(NAMES.autoflow, r, { rate: 200, achievedRate: 190 + r, offeredRate: 190 + r }),
      cell(NAMES.autoflow, r, { rate: 300, achievedRate: 200, offeredRate: 300, backlog: 1000 }),
    ]),
    common: two.flatMap((r) => [
      cell(NAMES.written, r, { ms: 300 + r, usd: 0.4 + r / 100 }),
      cell(NAMES.autoflow, r, { ms: 150 + r, usd: 0.1, utilisation: { memory: 0.05, instances: 0.3 } }),
    ]),
    varying,
    predictions: [{ side: NAMES.autoflow, twin: { costPer1000: 0.11, p95Ms: 165, throughput: 10 } }],
  };
}

const varying = (ours: number): Varying => ({
  name: 'a day',
  about: '',
  lag1: 0.5,
  peak: 3,
  plans: {},
  cells: [0, 1, 2].flatMap((r) => [cell(NAMES.static, r, { ms: 100 + r }), cell(NAMES.autoflow, r, { ms: ours + r })]),
});

const coldStart = (times: number) =>
  ({
    ...{
      times,
      objective: { p95Ms: 900, p99Ms: 2_000 },
      promoted: false,
      outcome: 'registered',
      ratePerSecond: 3,
      phases: [],
      rewardCurve: [],
    },
    seconds: { measuring: 40, optimizing: 50, rollout: 0 },
    cost: { cpuSeconds: 20, probes: { records: 0, usd: 0 }, canary: { extraUsd: 0, usd: 0 } },
    optimization: { decisions: [] },
  }) as unknown as ColdStart;

it('turns what was measured into claims, errors, bars and losses', () => {
  const figures = analysed(results(), []);
  const [claims] = figures.claims;
  expect(claims).toMatchObject({ against: NAMES.written });
  expect(claims!.throughput!.ratio).toBeCloseTo(18.16, 1);
  expect(claims!.meanLatency!.ratio).toBeCloseTo(0.5, 2);
  expect(claims!.cost!.high).toBeLessThan(0.3);
  expect(figures.errors[0]!.p95Ms).toBeCloseTo(165 / 150.5 - 1, 6);
  const bars = barsOf(figures);
  expect(bars[0]!.figure).toBeCloseTo(18.16, 1);
  expect(bars[1]!.interval).toEqual([claims!.meanLatency!.low, claims!.meanLatency!.high]);
  expect(barLine(bars[1]!)).toBe('mean latency at the same load, AutoFlow ÷ as written: 0.501 × (0.489 to 0.512) (bar <= 0.850) holds');
  expect(figures.losses).toEqual([expect.stringContaining(`used share of the memory against ${NAMES.written}: 0.500 ×`)]);
  expect(figures.differing).toEqual([]);
});

it('says of which side the twin predicts nothing, and why', () => {
  const found = results();
  const { errors, losses } = analysed({ ...found, predictions: [{ side: NAMES.autoflow, refused: 'needs 561 MB' }] }, []);
  expect(errors).toEqual([]);
  expect(losses).toContain(`the twin predicts nothing of ${NAMES.autoflow}: needs 561 MB`);
});

it('holds worse against it only what is shown to be worse, and better what is shown to be better', () => {
  const bar = (ours: number): readonly [number, number] => {
    const [worst, best] = barsOf(analysed(results([varying(ours)]), [])).slice(5, 7);
    return [worst!.figure, best!.figure];
  };
  expect(bar(50)).toEqual([1, expect.closeTo(0.51, 1)]);
  expect(bar(200)[0]).toBeGreaterThan(1.9);
  const untold = barsOf(analysed(results(), []))[5]!;
  expect([untold.figure, holds(untold)]).toEqual([NaN, false]);
  // As null it would be less than any bar.
  expect(holds(JSON.parse(JSON.stringify(untold)) as typeof untold)).toBe(false);
});

it('takes for what a side sustains only what it was asked for as that, in cells that are long enough for a tail', () => {
  const given = results();
  const figures = analysed({ ...given, common: [...given.common, cell('batches of 20', 0)] }, []);
  expect(figures.saturations.find(({ side }) => side === 'batches of 20')!.perRepetition).toEqual([]);
  expect(figures.claims.find(({ against }) => against === 'batches of 20')!.throughput).toBeUndefined();
  const cellOf = (rate: number): number => constantCell(rate, { seconds: 60, warmUpSeconds: 15, fewestRecords: 300 }).durationMs;
  expect([cellOf(100), cellOf(2)]).toEqual([60_000, 165_000]);
});

it('compares where the pipeline as written is comfortable in every repetition', () => {
  const shared = { commonShare: 0.7, serviceLevelMs: 2_000 };
  const sustained = (repetition: number, rate: number) => cell(NAMES.written, repetition, { rate, offeredRate: rate, achievedRate: rate });
  const late = (repetition: number, rate: number) => cell(NAMES.written, repetition, { rate, ms: 3_000 });
  expect(commonRate(shared, [sustained(0, 4), late(0, 5), sustained(1, 2), late(1, 3), cell(NAMES.autoflow, 0, { achievedRate: 1 })])).toBe(
    1.4,
  );
  expect(commonRate(shared, [sustained(0, 4), late(1, 3), late(1, 2.5)])).toBe(1.75);
  expect(commonRate(shared, [cell(NAMES.autoflow, 0)])).toBeUndefined();
});

it('names the sides whose outcomes are others', () => {
  const figures = analysed({ ...results(), capacities: [capacity(NAMES.written, 'a'), capacity('batches of 20', 'b')] }, []);
  expect(figures.differing).toEqual(['batches of 20']);
});

it('renders whatever there is, also nothing', () => {
  const document = (figures: object) => JSON.parse(JSON.stringify({ name: 'headline', quick: true, at: '2026-01-01', machine: { cores: 2, memoryGb: 8, os: 'x', node: 'y' }, bars: barsOf(figures as HeadlineFigures).map((bar) => ({ ...bar, holds: holds(bar) })), notMeasured: ['this'], figures })) as BenchDocument; // prettier-ignore
  const full = render(document(analysed(results([varying(50)]), [])));
  expect(full['md']).toContain('18.2 × (');
  expect(full['svg']).toContain('Reward curve');
  const asked = render(
    document(analysed({ ...results(), coldStarts: [coldStart(20)], forVarying: [{ load: 'invoices', coldStart: coldStart(30 / 7) }] }, [])),
  );
  expect(asked['md']).toMatch(
    /### Cold start 1: not promoted[^#]* for 20 times[^#]*### Under what was before invoices, without a rollout[^#]* for 4.29 times/,
  );
  const empty = render(document(analysed({ ...results(), rates: [], common: [], capacities: [], predictions: [], missing: ['x'] }, [])));
  expect(empty['md']).toContain('(in part)');
  expect(empty['md']).toContain('AutoFlow ÷ as written: unknown × (bar >= 10.0) falls short');
});

it('raises the share while the service level is kept, lowers it until it is, and knows when it is enough', () => {
  const rungs = { shares: [0.4, 0.6, 0.8, 1], first: 0.8 };
  const after = (...sustained: boolean[]): (number | undefined)[] => {
    const tried: { share: number; sustained: boolean }[] = [];
    for (const one of sustained) tried.push({ share: nextShare(rungs, tried)!, sustained: one });
    return [...tried.map(({ share }) => share), nextShare(rungs, tried)];
  };
  expect(after(true, true)).toEqual([0.8, 1, 1.2]);
  expect(after(true, false)).toEqual([0.8, 1, undefined]);
  expect(after(false, true)).toEqual([0.8, 0.6, undefined]);
  expect(after(false, false)).toEqual([0.8, 0.6, 0.4]);
  expect(nextShare({ ...rungs, most: 2 }, [{ share: 0.8, sustained: false }, { share: 0.6, sustained: false }])).toBeUndefined(); // prettier-ignore
  expect(saturationOf([cell('a', 0), cell('a', 0, { rate: 20, offeredRate: 20, achievedRate: 12, backlog: 80 })], 2_000)).toBe(10);
  expect(saturationOf([cell('a', 0, { ms: 3_000 }), cell('a', 0, { unfinished: 1 })], 2_000)).toBeUndefined();
});

it('begins nothing when the time is over, and says what is missing; what is known is taken all the same', async () => {
  let time = 1;
  const book = { has: (name: string) => name === 'known', take: async <T>(_: string, measure: () => Promise<T>) => measure() };
  const lab = new Lab<number>(book, () => {}, () => time-- > 0); // prettier-ignore
  expect(await lab.take('one', async () => 1)).toBe(1);
  expect(await lab.take('two', async () => 2)).toBeUndefined();
  expect(await lab.take('known', async () => 3)).toBe(3);
  expect(lab.missing).toEqual(['two']);
});

it('measures the parts that are asked for, with what they need of others; of the rest what is known is taken, and what is missing is said', async () => {
  const known = new Map<string, number>([['rate of a', 1]]);
  const book = {
    has: (name: string) => known.has(name),
    take: async <T>(name: string, measure: () => Promise<T>) => (known.get(name) ?? (await measure())) as T,
  };
  const labs = new Labs<number>(partsOf('varying, alone'), new Lab(book, () => {}, () => true)); // prettier-ignore
  expect(await labs.of('rates', 'common').take('rate of a', async () => 9)).toBe(1);
  expect(await labs.of('rates', 'alone').take('rate of b', async () => 9)).toBe(9);
  expect(labs.missing).toEqual([]);
  expect(await labs.of('rates', 'common').take('rate of c', async () => 9)).toBeUndefined();
  expect(labs.missing).toEqual(["the part 'rates'"]);
  expect([...partsOf(undefined)]).toEqual(['cold', 'rates', 'common', 'varying', 'alone']);
  expect(() => partsOf('rates,rest')).toThrow("There is no part 'rest' of the headline");
});

it('chooses functions by rule, and takes the busiest day and the one before', () => {
  const fn = (id: string, perMinute: (minute: number) => number) => ({ id, app: id, perMinute: Array.from({ length: 1440 }, (_, m) => perMinute(m)) }); // prettier-ignore
  const functions = [
    fn('smooth', (m) => 10 + (m % 100 < 50 ? 1 : 0)),
    fn('waves', (m) => (m % 100 < 50 ? 1 : 20)),
    fn('flicker', (m) => (m % 2 === 0 ? 1 : 3)),
    fn('spikes', (m) => (m % 2 === 0 ? 1 : 30)),
  ];
  expect(burstyFunctions(functions).map(({ id }) => id)).toEqual(['waves', 'spikes']);
  const invoice = (at: string) => ({ rows: [{ InvoiceDate: at }] });
  const invoices = [
    invoice('2010-12-01 09:00'),
    ...Array.from({ length: 6 }, (_, i) => invoice(`2010-12-02 1${i}:00`)),
    invoice('2010-12-03 09:00'),
  ];
  const day = dayOfInvoices({ seconds: 60, rate: 5, invoices, dataFolder: undefined });
  expect(day.about).toContain('2010-12-02, 6 invoices');
  expect(day.trace.expected).toBeCloseTo(300, 0);
  expect(day.trace.durationMs).toBeCloseTo(60_000, 0);
  // The day before had one, at nine o'clock: so it is again and again, at the same mean rate.
  const again = [...day.beforeAgain(180_000).arrivals(1)];
  expect(again.length / 180).toBeCloseTo(5, 0);
  expect(new Set(again.map((ms) => Math.floor((ms % 60_000) / (60_000 / 144))))).toEqual(new Set([54]));
});
