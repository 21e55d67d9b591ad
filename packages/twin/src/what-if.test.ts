import { expect, it } from 'vitest';
import { backlog, poissonArrivals } from './arrivals.js';
import { arrivalsOf } from './load.js';
import { functionModel } from './model/function-model.js';
import { LOCAL_HOST } from './model/host-model.js';
import { planModel, type PlanInput } from './model/plan-model.js';
import { simulate, type Simulation } from './simulate.js';
import { meteredRows } from './testing/metered-rows.js';
import { probeShareOf } from './probe-share.js';
import { allocationOf, chainSpec, topologyOf } from './testing/plans.js';
import { whatIf, type WhatIfQuestion } from './what-if.js';

const models = {
  parse: functionModel({ cpuFixedMs: 3, cpuPerRecordMs: 1, cv: 0.3, bytes: 300 }),
  store: functionModel({ cpuFixedMs: 2, ioFixedMs: 12, ioPerRecordMs: 1, cv: 0.4 }),
};
const chain = [{ functions: ['parse'] }, { functions: ['store'], after: ['parse'] }];
const host = { ...LOCAL_HOST, cores: 4 };
const input = (batch: number, stages = chain): PlanInput => ({
  spec: chainSpec(['parse', 'store']),
  topology: topologyOf(stages, batch, 100),
  models,
  host,
  recordBytes: 1500,
});
const RATE = 25;

function truth(of: PlanInput, perSecond: number): Simulation {
  const plan = planModel(of);
  return simulate(plan, allocationOf(plan, 6), { arrivals: poissonArrivals(perSecond, 4000, 77), seed: 77 });
}
function question(running: PlanInput, asked: PlanInput, ratePerSecond: number, probes: number): WhatIfQuestion {
  const allocation = allocationOf(planModel(running), 6);
  return {
    spec: running.spec,
    rows: meteredRows(running, allocation, { arrivals: poissonArrivals(RATE, 3000, 5), seed: 5, probes }),
    host,
    running: { version: 'v1', topology: running.topology, allocation, measured: truth(running, RATE) },
    asked: { topology: asked.topology, allocation: allocationOf(planModel(asked), 6) },
    ratePerSecond,
  };
}
const error = (found: number, real: number): number => Math.abs(found / real - 1);

it('four times the rate, and another version, are predicted from what the running one did', () => {
  const running = input(8);
  const fused = input(32, [{ functions: ['parse', 'store'], after: [] }] as never);
  for (const asked of [running, fused]) {
    const found = whatIf(question(running, asked, 4 * RATE, 0.1));
    if (!('answer' in found)) throw new Error(JSON.stringify(found.missing));
    const real = truth(asked, 4 * RATE);
    const { predicted, error: own } = found.answer;
    expect(error(predicted.costPer1000.all.mean, real.costPer1000.all)).toBeLessThan(0.05);
    expect(error(predicted.throughput.mean, real.throughput)).toBeLessThan(0.1);
    expect(error(predicted.latencyMs.p95.mean, real.latencyMs.p95)).toBeLessThan(0.2);
    expect(Math.abs(own.p95)).toBeLessThan(0.2);
    expect(Math.abs(own.costPer1000!)).toBeLessThan(0.05);
  }
});

it('what was not measured is not predicted', () => {
  const running = input(1);
  const asked = question(running, running, 4 * RATE, 0);
  expect(whatIf(asked)).toHaveProperty('answer');
  const other = (of: PlanInput) => ({
    ...asked,
    asked: { topology: of.topology, allocation: allocationOf(planModel(of), 6) },
    ratePerSecond: RATE,
  });
  const found = whatIf(other(input(16)));
  expect('missing' in found && found.missing.map(({ code }) => code)).toContain('ONE_BATCH_SIZE');
  const parted = input(1, [{ functions: ['parse'] }, { functions: ['store'], after: ['parse'], partitions: 4 }] as never);
  expect(whatIf(other(parted))).toHaveProperty('missing');
  expect(whatIf({ ...other(running), rows: [] })).toMatchObject({ missing: [{ code: 'TOO_FEW_ROWS' }, {}, {}] });
});

it('what full batches cost is not said of a rate at which they are not full', () => {
  const full = question(input(16), input(16), RATE, 0);
  const options = { arrivals: backlog(2000), seed: 5 };
  const rows = meteredRows(input(16), full.running.allocation, options);
  const measured = simulate(planModel(input(16)), full.running.allocation, options);
  const asked = { ...full, rows, running: { ...full.running, measured } };
  expect(whatIf({ ...asked, ratePerSecond: 0.9 * measured.throughput })).toHaveProperty('answer');
  expect(whatIf({ ...asked, ratePerSecond: 0.1 * measured.throughput })).toHaveProperty('missing');
});

it('a version of single records is told from its probes, and costs what they make it cost', () => {
  const running = input(1);
  const probes = 0.05;
  const allocation = allocationOf(planModel(running), 6);
  const options = { arrivals: poissonArrivals(RATE, 6000, 5), seed: 5, probes };
  const measured = simulate(planModel(running), allocation, options);
  const asked = { ...question(running, input(32), RATE, 0), rows: meteredRows(running, allocation, options) };
  const found = whatIf({ ...asked, running: { ...asked.running, measured } });
  if (!('answer' in found)) throw new Error(JSON.stringify(found.missing));
  expect(probeShareOf(asked.rows, 'v1', running.topology)).toBeCloseTo(probes, 1);
  expect(Math.abs(found.answer.error.costPer1000!)).toBeLessThan(0.03);
  const same = whatIf({ ...asked, asked: asked.running, ratePerSecond: measured.throughput, running: { ...asked.running, measured } });
  if (!('answer' in same)) throw new Error(JSON.stringify(same.missing));
  expect(same.answer.predicted.costPer1000.all.mean).toBeCloseTo(same.answer.running.costPer1000.all.mean, 9);
  expect(error(found.answer.predicted.costPer1000.all.mean, truth(input(32), RATE).costPer1000.all)).toBeLessThan(0.1);
});

it('the twin is held against what runs in the load that it had, bursts and all', () => {
  const running = input(1);
  const shape = [
    { durationMs: 1_000, multiple: 10 },
    { durationMs: 9_000, multiple: 0 },
  ];
  const plan = planModel(running);
  const allocation = allocationOf(plan, 1);
  const arrivals = arrivalsOf({ ratePerSecond: RATE, shape }, 6000, 3);
  const measured = simulate(plan, allocation, { arrivals, seed: 3, openExecutions: 'fed' });
  const asked = question(running, running, RATE, 0);
  const missed = (more: object): number => {
    const found = whatIf({ ...asked, running: { ...asked.running, allocation, measured, ...more } });
    if (!('answer' in found)) throw new Error(JSON.stringify(found.missing));
    return found.answer.error.p95;
  };
  expect(Math.abs(missed({ shape }))).toBeLessThan(0.1);
  expect(Math.abs(missed({}))).toBeGreaterThan(0.3);
});
