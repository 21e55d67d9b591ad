import type { PipelineSpec } from '@autoflow/pipeline';
import {
  backlog,
  fit,
  modelsFor,
  planModel,
  poissonArrivals,
  replicate,
  simulate,
  type FunctionModels,
  type HostModel,
  type MeteredInvocation,
} from '@autoflow/twin';
import { allocationOf, OPEN, topologyOf, type TwinPlan } from './plans.js';

export interface Figures {
  /** Records per second, saturated. */
  readonly throughput: number;
  /** US dollars, Temporal's actions included, and milliseconds, under the open load. */
  readonly costPer1000: number;
  readonly p95Ms: number;
}

/** What the twin knows: nothing of the plans that it is asked about. */
export interface TwinFit {
  readonly models: FunctionModels;
  readonly host: HostModel;
  readonly recordBytes: number;
  readonly rows: number;
}

export function fitOf({ nodes }: PipelineSpec, rows: readonly MeteredInvocation[], host: HostModel): TwinFit {
  const found = fit(rows, host);
  const { models, missing } = modelsFor(
    found,
    nodes.map(({ id }) => id),
    Number.POSITIVE_INFINITY,
  );
  if (missing.length > 0) throw new Error(`the training does not tell enough: ${missing.map(({ message }) => message).join(' ')}`);
  return { models, host: found.host, recordBytes: found.recordBytes, rows: rows.length };
}

const RECORDS = 2_000;
const BATCHES = 60;
const REPLICATIONS = 5;

/** Saturated, and at a rate. */
export function predictedOf(spec: PipelineSpec, { models, host, recordBytes }: TwinFit, plan: TwinPlan) {
  const model = planModel({ spec, topology: topologyOf(plan), models, host, recordBytes });
  const records = Math.max(RECORDS, BATCHES * plan.batch);
  const allocation = allocationOf(plan);
  const saturated = replicate(
    (seed) => simulate(model, allocation, { arrivals: backlog(records), seed, openExecutions: OPEN }),
    REPLICATIONS,
  );
  const capacity = saturated.throughput.mean;
  return {
    capacity,
    at(ratePerSecond: number): Figures {
      const open = replicate(
        (seed) => simulate(model, allocation, { arrivals: poissonArrivals(ratePerSecond, records, seed), seed }),
        REPLICATIONS,
      );
      return { throughput: capacity, costPer1000: open.costPer1000.all.mean, p95Ms: open.latencyMs.p95.mean };
    },
  };
}
