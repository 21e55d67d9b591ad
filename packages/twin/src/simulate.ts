import type { Allocation } from '@autoflow/topology';
import { costPer1000, usageCost } from './cost.js';
import { PlanError } from './model/plan-error.js';
import type { PlanModel } from './model/plan-model.js';
import { PUBLISHED_PRICES, type Prices } from './prices.js';
import { quantile } from './quantile.js';
import type { SimulatorOptions } from './simulator/simulator-options.js';
import { Simulator } from './simulator/simulator.js';
import { temporalActions } from './temporal-actions.js';
import { utilisation, type PoolUsage, type Utilisation } from './utilisation.js';

export interface SimulateOptions extends Omit<SimulatorOptions, 'plan' | 'allocation'> {
  readonly prices?: Prices;
  /** Share of the records that warm the system up and are not counted; default 0.1. */
  readonly warmUp?: number;
  /** Share of the records at the end that leave while the system runs empty; default 0.05. */
  readonly coolDown?: number;
}

/** What a plan did with a load. Cost, utilisation and throughput are of the window between warm-up and cool-down. */
export interface Simulation {
  /** Every record that arrived, by outcome. */
  readonly records: { readonly arrived: number; readonly completed: number; readonly filtered: number; readonly dead: number };
  /** Records with an outcome, per second. */
  readonly throughput: number;
  /** From a record's arrival to its outcome. */
  readonly latencyMs: { readonly mean: number; readonly p50: number; readonly p95: number; readonly p99: number };
  /** US dollars, with and without the actions of Temporal. */
  readonly costPer1000: { readonly all: number; readonly withoutActions: number };
  readonly utilisation: Utilisation;
  /** Busy share of the host's cores, Temporal's work included where it runs there. */
  readonly cpu: number;
  readonly provisionedMbS: number;
  readonly actionsPer1000: number;
  readonly windowMs: number;
  readonly stages: readonly SimulatedStage[];
  readonly events: number;
}
/** Of one stage, in the window. Times are means per invocation. */
export interface SimulatedStage {
  readonly name: string;
  readonly invocations: number;
  readonly recordsPerInvocation: number;
  readonly dispatchMs: number;
  readonly waitMs: number;
  readonly serviceMs: number;
  readonly cpuMs: number;
  readonly ioMs: number;
  readonly coldStarts: number;
  readonly retried: number;
  readonly provisionedMbS: number;
  readonly utilisation: Utilisation;
  /** US dollars per 1,000 records of the pipeline, without actions. */
  readonly costPer1000: number;
}

/** Runs the load through the plan until every record has its outcome. Deterministic by seed. */
export function simulate(plan: PlanModel, allocation: Allocation, options: SimulateOptions): Simulation {
  const { arrivals, prices = PUBLISHED_PRICES, warmUp = 0.1, coolDown = 0.05 } = options;
  checkArrivals(arrivals);
  const simulator = new Simulator({ ...options, plan, allocation });
  const first = Math.floor(warmUp * arrivals.length);
  simulator.run(Number.POSITIVE_INFINITY, first);
  const before = { ...simulator.total };
  const from = { at: simulator.now, closed: simulator.closed.records };
  simulator.resetCounters();
  simulator.run(Number.POSITIVE_INFINITY, Math.max(from.closed + 1, Math.floor((1 - coolDown) * arrivals.length)));
  const windowMs = simulator.now - from.at;
  const records = simulator.closed.records - from.closed;
  const window = measured(simulator, plan, records, windowMs, prices);
  simulator.run(Number.POSITIVE_INFINITY, arrivals.length);
  return {
    records: {
      arrived: arrivals.length,
      completed: before.completed + simulator.total.completed,
      filtered: before.filtered + simulator.total.filtered,
      dead: before.dead + simulator.total.dead,
    },
    throughput: windowMs > 0 ? (records / windowMs) * 1000 : 0,
    latencyMs: latencies(simulator.latencyMs.slice(first)),
    ...window,
    windowMs,
    events: simulator.events,
  };
}

type Window = Pick<Simulation, 'costPer1000' | 'utilisation' | 'cpu' | 'provisionedMbS' | 'actionsPer1000' | 'stages'>;

function measured(
  { stages: counters, total, cpuBusyMs }: Simulator,
  plan: PlanModel,
  records: number,
  windowMs: number,
  prices: Prices,
): Window {
  const pools: PoolUsage[] = plan.stages.map((_, s) => ({
    provisionedS: counters.provisionedMs[s]! / 1000,
    busyS: counters.busyMs[s]! / 1000,
    provisionedMbS: counters.provisionedMbMs[s]! / 1000,
    usedMbS: counters.usedMbMs[s]! / 1000,
  }));
  const stages = plan.stages.map(({ name }, s): SimulatedStage => {
    const invocations = counters.invocations[s]!;
    const mean = (sum: Float64Array): number => (invocations > 0 ? sum[s]! / invocations : 0);
    return {
      name,
      invocations,
      recordsPerInvocation: mean(counters.recordsIn),
      dispatchMs: mean(counters.dispatchMs),
      waitMs: mean(counters.waitMs),
      serviceMs: mean(counters.serviceMs),
      cpuMs: mean(counters.cpuMs),
      ioMs: mean(counters.ioMs),
      coldStarts: counters.coldStarts[s]!,
      retried: counters.retried[s]!,
      provisionedMbS: pools[s]!.provisionedMbS,
      utilisation: utilisation([pools[s]!]),
      costPer1000: costPer1000(usageCost({ invocations, billedMbMs: counters.billedMbMs[s]! }, prices), records) ?? 0,
    };
  });
  const { executions, activities, timers } = total;
  // One task of every execution settles it by a local activity.
  const actions = temporalActions({ runs: executions, activityAttempts: activities, timers, localActivityTasks: executions });
  const withoutActions = stages.reduce((sum, { costPer1000: cost }) => sum + cost, 0);
  const actionsPer1000 = (actions / records) * 1000;
  return {
    costPer1000: { all: withoutActions + actionsPer1000 * prices.temporalAction.usd, withoutActions },
    utilisation: utilisation(pools),
    cpu: windowMs > 0 ? cpuBusyMs / (plan.host.cores * windowMs) : 0,
    provisionedMbS: pools.reduce((sum, { provisionedMbS }) => sum + provisionedMbS, 0),
    actionsPer1000,
    stages,
  };
}

function latencies(values: Float64Array): Simulation['latencyMs'] {
  values.sort();
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return { mean, p50: quantile(values, 0.5), p95: quantile(values, 0.95), p99: quantile(values, 0.99) };
}

function checkArrivals(arrivals: Float64Array): void {
  if (arrivals.length < 20)
    throw new PlanError('BAD_LOAD', `${arrivals.length} records are too few to tell anything from; simulate at least 20, better 1,000.`);
  for (let i = 0; i < arrivals.length; i++)
    if (!Number.isFinite(arrivals[i]) || (i > 0 && arrivals[i]! < arrivals[i - 1]!))
      throw new PlanError('BAD_LOAD', `arrivals must be finite and ascend; record ${i} arrives at ${arrivals[i]}.`);
}
