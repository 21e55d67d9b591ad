import type { PipelineSpec } from '@autoflow/pipeline';
import type { Allocation, Topology } from '@autoflow/topology';
import { fit, modelsFor, type FitProblem } from './fit/fit.js';
import type { MeteredInvocation } from './fit/rows.js';
import { arrivalsOf, periodMs, type Load, type LoadShape } from './load.js';
import type { HostModel } from './model/host-model.js';
import { planModel } from './model/plan-model.js';
import { probeShareOf } from './probe-share.js';
import { replicate, type ReplicatedSimulation } from './replications.js';
import { simulate } from './simulate.js';

export interface RunnablePlan {
  readonly topology: Topology;
  readonly allocation: Allocation;
}
/** The version that runs, and was measured. */
export interface RunningPlan extends RunnablePlan {
  readonly version: string;
  readonly measured: Measured;
  /** Of the load, as it was at the end of the measurement; absent where that was steady. */
  readonly shape?: LoadShape;
  /** How long it was measured. Default: for as long as the shape lasts. */
  readonly observedMs?: number;
}
/** What a version was measured to do. */
export interface Measured {
  readonly throughput: number;
  readonly latencyMs: { readonly mean: number; readonly p50: number; readonly p95: number; readonly p99: number };
  readonly costPer1000?: { readonly all: number; readonly withoutActions: number };
}
export interface WhatIfQuestion {
  readonly spec: PipelineSpec;
  readonly rows: readonly MeteredInvocation[];
  readonly host: HostModel;
  readonly running: RunningPlan;
  readonly asked: RunnablePlan;
  /** Records per second that the asked plan would get, in the shape of the load that was measured. */
  readonly ratePerSecond: number;
}
export interface WhatIfAnswer {
  readonly predicted: ReplicatedSimulation;
  /** The running version under the rate it was measured at, and by how much that misses the measurement: (predicted − measured) / measured. */
  readonly running: ReplicatedSimulation;
  readonly error: { readonly throughput: number; readonly p95: number; readonly costPer1000?: number };
  /** What the answer leans on without having been measured. */
  readonly notes: readonly FitProblem[];
}

/** Enough for a p95, and for the interval of a few replications. */
const RECORDS = 1500;
const BATCHES = 40;
const REPLICATIONS = 4;
/** Of the time that was measured, what the shape lasts at least to be that of all of it. */
const OF_ALL = 0.5;
/** Behind a filter, in partitions or fused otherwise, a stage is given other numbers of records: no batch has so many. */
const ANY_BATCH = Number.POSITIVE_INFINITY;

/**
 * What a plan would do at a rate, from measurements alone, beside the twin's own error: the same models asked about the version that runs,
 * against what it did. Where the measurements do not tell enough, `missing` says what, and there is no prediction.
 */
export function whatIf(question: WhatIfQuestion): { readonly answer: WhatIfAnswer } | { readonly missing: readonly FitProblem[] } {
  const { spec, running, asked, ratePerSecond } = question;
  const fitted = fit(question.rows, question.host);
  const { measured } = running;
  if (!(measured.throughput > 0) || !(measured.latencyMs.p95 > 0))
    return {
      missing: [{ code: 'TOO_FEW_ROWS', message: 'the running version has no measured throughput and latency. Let it run first.' }],
    };
  const ids = spec.nodes.map(({ id }) => id);
  const asMeasured = isSame(asked.topology, running.topology) && isAsFull(running, ratePerSecond);
  const known = ([true, asMeasured] as const).map((same) => modelsFor(fitted, ids, same ? 'as-measured' : ANY_BATCH));
  const missing = known.flatMap((one) => one.missing);
  if (missing.length > 0)
    return { missing: distinct([...missing, ...fitted.problems.filter((problem) => problem.function === undefined)]) };
  const predict = (plan: RunnablePlan, models: (typeof known)[number]['models'], load: Load, probes: number): ReplicatedSimulation => {
    const { host, recordBytes } = fitted;
    const model = planModel({ spec, topology: plan.topology, models, host, recordBytes });
    const records = Math.max(RECORDS, BATCHES * model.batchRecords);
    return replicate(
      (seed) => simulate(model, plan.allocation, { arrivals: arrivalsOf(load, records, seed), seed, probes, openExecutions: 'fed' }),
      REPLICATIONS,
    );
  };
  const probes = probeShareOf(question.rows, running.version, running.topology);
  const { shape, observedMs = 0 } = running;
  // Of a day of which it is the last ten minutes it says nothing.
  const isOfAll = shape !== undefined && periodMs(shape) >= OF_ALL * observedMs;
  const now = predict(running, known[0]!.models, { ratePerSecond: measured.throughput, ...(isOfAll && { shape }) }, probes);
  return {
    answer: {
      // The feeder goes on with its probes: in a plan of single records they carry as many as now.
      predicted: predict(
        asked,
        known[1]!.models,
        { ratePerSecond, ...(shape && { shape }) },
        asked.topology.batch.records === 1 ? probes : 0,
      ),
      running: now,
      error: {
        throughput: now.throughput.mean / measured.throughput - 1,
        p95: now.latencyMs.p95.mean / measured.latencyMs.p95 - 1,
        ...(measured.costPer1000 && measured.costPer1000.all > 0
          ? { costPer1000: now.costPer1000.all.mean / measured.costPer1000.all - 1 }
          : {}),
      },
      notes: fitted.problems.filter(({ function: node }) => node === undefined || ids.includes(node)),
    },
  };
}

/** Batches that linger hold other numbers of records at another rate. */
function isAsFull({ topology, measured }: RunningPlan, ratePerSecond: number): boolean {
  return topology.batch.records === 1 || Math.abs(ratePerSecond / measured.throughput - 1) <= SAME_RATE;
}
const SAME_RATE = 0.25;

function isSame(a: Topology, b: Topology): boolean {
  return JSON.stringify([a.stages, a.batch, a.lingerMs]) === JSON.stringify([b.stages, b.batch, b.lingerMs]);
}

function distinct(problems: readonly FitProblem[]): FitProblem[] {
  return [...new Map(problems.map((problem) => [problem.message, problem])).values()];
}
