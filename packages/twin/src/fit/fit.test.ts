import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backlog, poissonArrivals } from '../arrivals.js';
import { functionModel, type FunctionModel } from '../model/function-model.js';
import { LOCAL_HOST } from '../model/host-model.js';
import { planModel, type PlanInput } from '../model/plan-model.js';
import { simulate } from '../simulate.js';
import { meteredRows } from '../testing/metered-rows.js';
import { allocationOf, chainSpec, topologyOf, type GivenStage } from '../testing/plans.js';
import { uniform } from '../traces/random.js';
import { fit, modelsFor } from './fit.js';
import { medianOf, robustLine } from './line.js';
import type { MeteredInvocation } from './rows.js';

const HOST = { ...LOCAL_HOST, cores: 4 };
const truth = {
  parse: functionModel({ cpuFixedMs: 6, cpuPerRecordMs: 1.2, cv: 0.25, memoryMb: 30, memoryPerRecordMb: 0.4, bytes: 500 }),
  lookUp: functionModel({ cpuFixedMs: 1, cpuPerRecordMs: 0.3, ioFixedMs: 20, ioPerRecordMs: 5, cv: 0.25, memoryMb: 10, selectivity: 0.9 }),
};

function inputOf(models: { readonly [name: string]: FunctionModel }, batch: number, stages?: readonly GivenStage[]): PlanInput {
  const names = Object.keys(models);
  const own = stages ?? names.map((name, i) => ({ functions: [name], after: names.slice(Math.max(0, i - 1), i) }));
  return { spec: chainSpec(names), topology: topologyOf(own, batch, 100), models, host: HOST, recordBytes: 2000 };
}
/** Rows of about so many invocations of each stage. */
function rowsOf(input: PlanInput, invocations: number, seed: number, probes = 0.05, memoryMb = 1024, version = 'v1'): MeteredInvocation[] {
  const records = Math.ceil(invocations * (input.topology.batch.records * (1 - probes) + probes));
  const allocation = allocationOf(planModel(input), 4, memoryMb);
  return meteredRows(input, allocation, { arrivals: backlog(records), seed, probes }, version);
}
const error = (found: number, true_: number): number => Math.abs(found / true_ - 1);

describe('what was put in comes out', () => {
  it('fixed cost within 15 % and cost per record within 5 % after 200 invocations with 5 % probes', () => {
    const errors = { fixed: [] as number[], perRecord: [] as number[] };
    for (let seed = 1; seed <= 12; seed++) {
      const { functions } = fit(rowsOf(inputOf(truth, 16), 200, seed), HOST);
      const { parse, lookUp } = functions;
      errors.fixed.push(error(parse!.model.cpuFixedMs, 6), error(lookUp!.model.ioFixedMs, 20));
      errors.perRecord.push(error(parse!.model.cpuPerRecordMs, 1.2), error(lookUp!.model.ioPerRecordMs, 5));
      expect(parse!.holdsFor).toBe('any');
    }
    expect(medianOf(errors.fixed)).toBeLessThan(0.15);
    expect(medianOf(errors.perRecord)).toBeLessThan(0.05);
  });

  it('standard errors are of the size of the errors', () => {
    const z: number[] = [];
    for (let seed = 1; seed <= 16; seed++) {
      const { parse } = fit(rowsOf(inputOf(truth, 16), 200, seed), HOST).functions;
      z.push(Math.abs(parse!.model.cpuFixedMs - 6) / parse!.standardErrors.cpuFixedMs);
    }
    expect(z.filter((value) => value < 2.5).length).toBeGreaterThan(12);
    expect(medianOf(z)).toBeGreaterThan(0.2);
  });

  it('selectivity, memory, bytes, and the spread', () => {
    const { functions, recordBytes } = fit(rowsOf(inputOf(truth, 16), 600, 3), HOST);
    const { parse, lookUp } = functions;
    expect(error(lookUp!.model.selectivity, 0.9)).toBeLessThan(0.02);
    expect(error(parse!.model.memoryMb, 30)).toBeLessThan(0.05);
    expect(error(parse!.model.memoryPerRecordMb, 0.4)).toBeLessThan(0.05);
    expect(error(parse!.model.bytes, 500)).toBeLessThan(0.02);
    expect(error(recordBytes, 2000)).toBeLessThan(0.001);
    expect(error(Math.hypot(parse!.model.cv, parse!.model.cvPerRecord / 4), 0.2)).toBeLessThan(0.3);
  });

  it('bytes of a record as it comes, though every part of a stage reads the whole batch', () => {
    const parted = rowsOf(inputOf(truth, 16), 200, 3).flatMap((row) =>
      row.stage === 'parse' && row.recordsIn > 1 ? [1, row.recordsIn - 1].map((recordsIn) => ({ ...row, recordsIn, spans: [] })) : [row],
    );
    expect(error(fit(parted, HOST).recordBytes, 2000)).toBeLessThan(0.001);
  });

  it('the pressure of memory, where three sizes were tried', () => {
    const heavy = { parse: functionModel({ cpuPerRecordMs: 3, cpuFixedMs: 5, memoryMb: 60, memoryPerRecordMb: 0.5, cv: 0.2 }) };
    const rows = [160, 256, 1024].flatMap((memoryMb, i) => rowsOf(inputOf(heavy, 32), 400, i, 0.05, memoryMb));
    const found = fit(rows, { ...HOST, pressure: 0 });
    expect(error(found.host.pressure, HOST.pressure)).toBeLessThan(0.35);
    expect(found.problems.map(({ code }) => code)).toEqual(['TEMPORAL_ASSUMED']);
  });

  it('so that a plan which never ran is predicted: fused, other batches', () => {
    const { functions, host, recordBytes } = fit(rowsOf(inputOf(truth, 8), 1500, 4, 0.2), HOST);
    const models = Object.fromEntries(Object.entries(functions).map(([name, { model }]) => [name, model]));
    const other = (given: PlanInput['models'], on: PlanInput['host'], bytes: number) => {
      const plan = planModel({
        ...inputOf(truth, 32, [{ functions: ['parse', 'lookUp'] }]),
        models: given,
        host: on,
        recordBytes: bytes,
      });
      return simulate(plan, allocationOf(plan, 6, 512), { arrivals: poissonArrivals(30, 4000, 1), seed: 1 });
    };
    const real = other(truth, HOST, 2000);
    const predicted = other(models, { ...host, temporal: HOST.temporal }, recordBytes);
    expect(error(predicted.costPer1000.withoutActions, real.costPer1000.withoutActions)).toBeLessThan(0.05);
    expect(error(predicted.throughput, real.throughput)).toBeLessThan(0.02);
    expect(error(predicted.latencyMs.p95, real.latencyMs.p95)).toBeLessThan(0.1);
  });
});

describe('what cannot be told is said', () => {
  const codes = (rows: readonly MeteredInvocation[]): string[] => fit(rows, HOST).problems.map(({ code }) => code);
  const good = rowsOf(inputOf(truth, 16), 200, 1);

  it('one batch size: the model holds for that size only', () => {
    const found = fit(
      rowsOf(inputOf(truth, 16), 200, 1, 0).filter(({ recordsIn }) => recordsIn === 16),
      HOST,
    );
    expect(found.problems.filter(({ code }) => code === 'ONE_BATCH_SIZE').map((problem) => problem.function)).toContain('parse');
    expect(found.functions.parse).toMatchObject({ holdsFor: { records: 16 }, model: { cpuFixedMs: 0 } });
    expect(modelsFor(found, ['parse'], 16).missing).toEqual([]);
    const { models, missing } = modelsFor(found, ['parse'], 32);
    expect(models).toEqual({});
    expect(missing[0]?.message).toContain('probes');
  });

  it('too few rows, and none', () => {
    expect(codes([])).toEqual(['TOO_FEW_ROWS']);
    expect(codes(good.slice(0, 10))).toContain('TOO_FEW_ROWS');
    expect(modelsFor(fit(good, HOST), ['never'], 1).missing[0]?.message).toContain("'never' was never measured");
  });

  it('few memory sizes, and such as hardly differ: what another one would do is assumed', () => {
    expect(codes(good)).toEqual(['ONE_MEMORY_SIZE']);
    const at = (memoryMb: number, i: number) => rowsOf(inputOf(truth, 16), 200, i, 0.05, memoryMb);
    expect(codes([512, 1024].flatMap(at))).toEqual(['FEW_MEMORY_SIZES']);
    expect(codes([8192, 9216, 10_240].flatMap(at))).toEqual(['FEW_MEMORY_SIZES']);
  });

  it('memory per record, where every stage had one batch size: told from those alone that had several, else for no other size', () => {
    const heavy = { parse: functionModel({ cpuPerRecordMs: 1, memoryPerRecordMb: 1 }), lookUp: functionModel({ cpuPerRecordMs: 1 }) };
    const exactly = (records: number, stages?: readonly GivenStage[]) =>
      rowsOf(inputOf(heavy, records, stages), 100, records, 0, 1024, `v${records}`).filter(({ recordsIn }) => recordsIn === records);
    const fused = [{ functions: ['parse', 'lookUp'] }];
    const untold = fit([...exactly(1), ...exactly(20, fused)], HOST);
    expect(untold.functions.parse!.holdsFor).toEqual({ records: 20 });
    expect(modelsFor(untold, ['parse'], Number.POSITIVE_INFINITY).missing[0]?.message).toContain(
      'what memory a record needs cannot be told',
    );

    const several = fit([...exactly(1), ...exactly(20, fused), ...exactly(5, fused)], HOST);
    expect(several.functions.parse).toMatchObject({ holdsFor: 'any', model: { memoryPerRecordMb: expect.closeTo(0.5, 2) } });
  });

  it('rows that contradict themselves or each other, and numbers that are none', () => {
    const row = good[0]!;
    expect(codes([...good, { ...row, durationMs: Number.NaN }])).toContain('NOT_NUMBERS');
    expect(codes([...good, { ...row, cpuMs: -1 }])).toContain('CONTRADICTORY');
    expect(codes([...good, { ...row, spans: [{ ...row.spans[0]!, wallMs: 10 * row.durationMs + 100 }] }])).toContain('CONTRADICTORY');
    const slow = { ...truth, parse: { ...truth.parse, cpuFixedMs: 60, cpuPerRecordMs: 12 } };
    expect(codes([...good, ...rowsOf(inputOf(slow, 16), 200, 2, 0.05, 1024, 'v2')])).toContain('CONTRADICTORY');
  });

  it('whatever the rows hold, models are finite and not negative', () => {
    const random = uniform(7);
    const value = (): number => [0, 1e-9, 1, 50, 1e6, Number.NaN, -1][Math.floor(7 * random())]!;
    const wild = (): MeteredInvocation => ({
      ...good[0]!,
      durationMs: value(),
      cpuMs: value(),
      runQueueMs: value(),
      peakMemoryMb: Math.abs(value()),
      recordsIn: Math.ceil(10 * random()),
      spans: [{ ...good[0]!.spans[0]!, recordsIn: Math.ceil(3 * random()), wallMs: value(), cpuMs: value() }],
    });
    for (let i = 0; i < 15; i++)
      for (const { model } of Object.values(fit(Array.from({ length: 400 }, wild), HOST).functions))
        for (const [name, number] of Object.entries(model)) expect([name, Number.isFinite(number) && number >= 0]).toEqual([name, true]);
  });
});

it('a robust line is the line, outliers or not', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: 50 }), fc.nat(10_000), (intercept, slope, seed) => {
      const random = uniform(seed);
      const x = Array.from({ length: 100 }, (_, i) => (i % 10 === 0 ? 1 : 16));
      const y = x.map((n) => (intercept + slope * n) * (0.95 + 0.1 * random()));
      y[5] = 1000 * y[5]!;
      const line = robustLine(x, y);
      expect(Math.abs(line.intercept + 16 * line.slope - (intercept + 16 * slope))).toBeLessThan(0.05 * (intercept + 16 * slope));
      expect(Math.abs(line.intercept + line.slope - (intercept + slope))).toBeLessThan(0.06 * (intercept + slope));
    }),
  );
});
