import { expect, it } from 'vitest';
import { backlog, poissonArrivals } from '../arrivals.js';
import { functionModel } from '../model/function-model.js';
import { LOCAL_HOST } from '../model/host-model.js';
import { planModel, type PlanInput } from '../model/plan-model.js';
import { simulate } from '../simulate.js';
import { meteredRows } from '../testing/metered-rows.js';
import { allocationOf, chainSpec, topologyOf } from '../testing/plans.js';
import { fitTemporal } from './fit-temporal.js';
import { fit } from './fit.js';
import type { MeteredInvocation } from './rows.js';

/** A stack that is five times slower than the model that is assumed of it, and in other proportions. */
const TRUTH = { servers: 4, activityMs: 30, startMs: 50, settleMs: 15, recordMs: 0, latencyMs: 20, onHost: true };
const HOST = { ...LOCAL_HOST, cores: 4, idleMs: Number.POSITIVE_INFINITY };
/** Executions per second at which it has little to do, and nearly all it can. */
const RATES = [6, 20];
const models = Object.fromEntries(['a', 'b', 'c', 'd'].map((name) => [name, functionModel({ cpuFixedMs: 3, cpuPerRecordMs: 1, cv: 0.3 })]));
const names = Object.keys(models);
const WRITTEN = names.map((name, i) => ({ functions: [name], after: names.slice(Math.max(0, i - 1), i) }));

function inputOf(stages: Parameters<typeof topologyOf>[0], temporal = TRUTH): PlanInput {
  return { spec: chainSpec(names), topology: topologyOf(stages, 1, 0), models, host: { ...HOST, temporal }, recordBytes: 500 };
}
/** Load that comes and goes: 400 records at each rate, one after the other. */
function rowsAt(rates: readonly number[], stages = WRITTEN, temporal = TRUTH): MeteredInvocation[] {
  const input = inputOf(stages, temporal);
  const allocation = allocationOf(planModel(input), 8, 1024);
  return rates.flatMap((rate, seed) => {
    const later = (at: Date): Date => new Date(at.getTime() + seed * HOUR_MS);
    const rows = meteredRows(input, allocation, { arrivals: poissonArrivals(rate, 400, seed + 1), seed }, `v${seed}`);
    return rows.map((row) => ({ ...row, startedAt: later(row.startedAt), openedAt: later(row.openedAt!), closedAt: later(row.closedAt!) }));
  });
}
const HOUR_MS = 3_600_000;

it.each([
  { name: 'whose work is done by the cores that functions compute on', truth: TRUTH, rates: RATES },
  { name: 'of its own, with one server', truth: { ...TRUTH, servers: 1, onHost: false }, rates: [1.5, 4.6] },
])('finds what a Temporal $name takes, and what it can do at most', ({ truth, rates }) => {
  const assumed = { ...LOCAL_HOST.temporal, servers: 1, onHost: truth.onHost };
  const { temporal: found, told } = fitTemporal(rowsAt(rates, WRITTEN, truth), { cores: HOST.cores, temporal: assumed });
  expect(told).toBe(true);
  expect(found.servers).toBe(truth.servers);
  const work = (of: typeof TRUTH): number => of.startMs + 4 * of.activityMs + of.settleMs;
  expect(work(found) / work(TRUTH)).toBeGreaterThan(0.85);
  expect(work(found) / work(TRUTH)).toBeLessThan(1.2);
  expect(found.activityMs / TRUTH.activityMs).toBeCloseTo(1, 0.5);
  expect(found.latencyMs).toBeLessThan(2 * TRUTH.latencyMs);
});

it('so that p95 of another topology is predicted, at another load', () => {
  const rows = rowsAt(RATES);
  const fused = [{ functions: names }];
  const predicted = fit(rows, { ...HOST, temporal: LOCAL_HOST.temporal });
  const p95 = (input: PlanInput, rate: number): number => {
    const plan = planModel(input);
    return simulate(plan, allocationOf(plan, 8, 1024), { arrivals: poissonArrivals(rate, 3_000, 9), seed: 9 }).latencyMs.p95;
  };
  for (const [stages, rate] of [
    [WRITTEN, 13],
    [fused, 26],
  ] as const) {
    const real = p95(inputOf(stages), rate);
    const error = p95({ ...inputOf(stages), host: predicted.host }, rate) / real - 1;
    expect(Math.abs(error)).toBeLessThan(0.2);
  }
});

it('tells what is done for each record from what is done for its batch, where batches had several sizes', () => {
  const truth = { ...TRUTH, recordMs: 4 };
  const sized = (batch: number): PlanInput => {
    const input = inputOf(WRITTEN, truth);
    return { ...input, topology: topologyOf(WRITTEN, batch, 0) };
  };
  const rows = [1, 8, 30].flatMap((batch, i) => {
    const input = sized(batch);
    const allocation = allocationOf(planModel(input), 8, 1024);
    const later = (at: Date): Date => new Date(at.getTime() + i * HOUR_MS);
    return meteredRows(input, allocation, { arrivals: backlog(150 * batch), seed: i, openExecutions: 16 }, `v${i}`).map((row) => ({
      ...row,
      executionId: `${i}-${row.executionId}`,
      startedAt: later(row.startedAt),
      openedAt: later(row.openedAt!),
      closedAt: later(row.closedAt!),
    }));
  });
  const { temporal: found } = fitTemporal(rows, { cores: HOST.cores, temporal: LOCAL_HOST.temporal });
  expect(Math.abs(found.recordMs / truth.recordMs - 1)).toBeLessThan(0.1);
  const work = (of: typeof TRUTH): number => of.startMs + 4 * of.activityMs + of.settleMs + 8 * of.recordMs;
  expect(Math.abs(work(found) / work(truth) - 1)).toBeLessThan(0.08);
});

it('tells activities, the ends of executions and records apart, where stages and batches were of several sizes', () => {
  const truth = { servers: 2, activityMs: 17, startMs: 26, settleMs: 26, recordMs: 1, latencyMs: 3, onHost: true };
  const quick = Object.fromEntries(names.map((name) => [name, functionModel({ cpuFixedMs: 1, cpuPerRecordMs: 0.3, cv: 0.3 })]));
  const input = (stages: typeof WRITTEN, batch: number, temporal = truth): PlanInput => {
    const host = { ...HOST, cores: 2, temporal };
    return { spec: chainSpec(names), topology: topologyOf(stages, batch, 0), models: quick, host, recordBytes: 500 };
  };
  const halves = [
    { functions: names.slice(0, 2), after: [] },
    { functions: names.slice(2), after: [names[0]!] },
  ];
  const trained = [input(WRITTEN, 1), input(WRITTEN, 8), input(halves, 30)];
  const rows = trained.flatMap((one, i) =>
    [2, 16].flatMap((openExecutions, seed) => {
      const arrivals = backlog((openExecutions === 2 ? 40 : 150) * one.topology.batch.records);
      const metered = meteredRows(
        one,
        allocationOf(planModel(one), 8, 1024),
        { arrivals, seed, openExecutions },
        `v${i}-${openExecutions}`,
      );
      const later = (at: Date): Date => new Date(at.getTime() + (2 * i + seed) * HOUR_MS);
      return metered.map((row) => ({
        ...row,
        startedAt: later(row.startedAt),
        openedAt: later(row.openedAt!),
        closedAt: later(row.closedAt!),
      }));
    }),
  );
  const { temporal } = fitTemporal(rows, { cores: 2, temporal: LOCAL_HOST.temporal });
  const most = (one: PlanInput): number => {
    const plan = planModel(one);
    return simulate(plan, allocationOf(plan, 8, 1024), { arrivals: backlog(1_500), seed: 3, openExecutions: 16 }).throughput;
  };
  const fused = [{ functions: names, after: [] }];
  for (const [stages, batch] of [
    [fused, 1],
    [fused, 4],
    [fused, 30],
    [WRITTEN, 30],
  ] as const)
    // prettier-ignore
    expect(Math.abs(most(input([...stages], batch, temporal)) / most(input([...stages], batch)) - 1)).toBeLessThan(0.025);
});

it('tells no work where functions took all that the cores can do: what is assumed stays', () => {
  const rows = rowsAt(RATES).map((row) => ({ ...row, cpuMs: 1_000 * row.cpuMs }));
  const { startMs, activityMs, settleMs, recordMs } = LOCAL_HOST.temporal;
  expect(fitTemporal(rows, { cores: HOST.cores, temporal: LOCAL_HOST.temporal })).toMatchObject({
    told: false,
    temporal: { startMs, activityMs, settleMs, recordMs },
  });
});

it('takes instances that start for what they are: computing, and no work of Temporal', () => {
  const rows = rowsAt(RATES).filter(({ version }) => version === 'v1');
  const [from, to] = [Math.min, Math.max].map((of) => of(...rows.map(({ startedAt }) => startedAt.getTime()))) as [number, number];
  /** One after the other, on one of the cores. */
  const starting = (time: Pick<MeteredInvocation, 'coldStartMs' | 'durationMs' | 'cpuMs'>): MeteredInvocation[] =>
    Array.from({ length: Math.ceil((to - from) / 1000) }, (_, i) => {
      const { openedAt: _opened, closedAt: _closed, ...row } = rows[0]!;
      return { ...row, ...time, executionId: `cold-${i}`, startedAt: new Date(from + 1000 * i) };
    });
  const workWith = (more: readonly MeteredInvocation[]): number =>
    fitTemporal([...rows, ...more], { cores: HOST.cores, temporal: LOCAL_HOST.temporal }).temporal.activityMs;
  const cold = workWith(starting({ coldStartMs: 1000, durationMs: 0, cpuMs: 0 }));
  expect(cold).toBeCloseTo(workWith(starting({ coldStartMs: 0, durationMs: 1000, cpuMs: 1000 })), 6);
  expect(cold).toBeLessThan(0.85 * workWith([]));
});

it('tells no work from a load that never varies, and none where there is next to nothing', () => {
  const steady = rowsAt([0.001]);
  const { activityMs, startMs, settleMs } = LOCAL_HOST.temporal;
  const { temporal: found, told } = fitTemporal(steady, LOCAL_HOST);
  expect(told).toBe(false);
  expect(found).toMatchObject({ activityMs, startMs, settleMs });
  expect(found.latencyMs).toBeGreaterThan(TRUTH.latencyMs);
  expect(fitTemporal(steady.slice(0, 3), LOCAL_HOST)).toEqual({ temporal: LOCAL_HOST.temporal, told: false });
  expect(fit(steady, LOCAL_HOST).problems.map(({ code }) => code)).toContain('TEMPORAL_ASSUMED');
  expect(fit(rowsAt(RATES), HOST).problems.map(({ code }) => code)).not.toContain('TEMPORAL_ASSUMED');
});

it('knows the rest in its usual proportion where batches are no longer known', () => {
  const rows = rowsAt(RATES).map(({ openedAt: _, closedAt: __, ...row }) => row);
  const { temporal: found } = fitTemporal(rows, HOST);
  expect(found.activityMs).toBeGreaterThan(2 * LOCAL_HOST.temporal.activityMs);
  expect(found.startMs / found.activityMs).toBeCloseTo(LOCAL_HOST.temporal.startMs / LOCAL_HOST.temporal.activityMs, 6);
});

it('a plan that is asked for more than it can do does not seem to do it, for a feeder opens no more than a few seconds of work', () => {
  const plan = planModel(inputOf(WRITTEN));
  const allocation = allocationOf(plan, 8, 1024);
  const most = simulate(plan, allocation, { arrivals: backlog(1_500), seed: 1, openExecutions: 16 }).throughput;
  for (const arrivals of [backlog(1_500), poissonArrivals(100, 1_500, 1)])
    expect(simulate(plan, allocation, { arrivals, seed: 1, openExecutions: 'fed' }).throughput / most).toBeCloseTo(1, 1);
});
