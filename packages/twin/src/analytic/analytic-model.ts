import type { Allocation } from '@autoflow/topology';
import { usageCost } from '../cost.js';
import { cpuShare, fits, memoryPressure } from '../model/host-model.js';
import { PlanError } from '../model/plan-error.js';
import type { PlanModel, PlannedStage } from '../model/plan-model.js';
import { cpuMs, cpuPerOwnRecordMs, ioMs, noiseCv, workingSetMb } from '../model/stage-model.js';
import { PUBLISHED_PRICES, type Prices } from '../prices.js';
import { temporalActions } from '../temporal-actions.js';
import { cappedPoisson, lognormalQuantile, queueing, waitVariance } from './formulas.js';

export interface AnalyticLoad {
  readonly ratePerSecond: number;
  /** Default: no bound. */
  readonly openExecutions?: number;
}

/** What `AnalyticModel.evaluate` answers: by index into its result. */
export const COST = 0;
export const COST_WITHOUT_ACTIONS = 1;
export const P95 = 2;
export const THROUGHPUT = 3;
export const MEAN = 4;
export const CPU = 5;
const RESULTS = 6;

export interface AnalyticPrediction {
  readonly throughput: number;
  /** Records per second that the plan can carry. */
  readonly capacity: number;
  readonly latencyMs: { readonly mean: number; readonly p95: number };
  readonly costPer1000: { readonly all: number; readonly withoutActions: number };
  /** Demand on the cores of the host, as a share of them. */
  readonly cpu: number;
  readonly recordsPerBatch: number;
  readonly stages: readonly AnalyticStage[];
}
export interface AnalyticStage {
  readonly name: string;
  readonly recordsPerInvocation: number;
  readonly invocationsPerSecond: number;
  readonly serviceMs: number;
  readonly ioMs: number;
  readonly waitMs: number;
  /** Instances busy on average. */
  readonly load: number;
  readonly concurrency: number;
  readonly utilisation: number;
  /** US dollars per 1,000 records of the pipeline, without actions. */
  readonly costPer1000: number;
}

/** Beyond this a queue is as good as full: waits stay finite and grow with the overload instead. */
const FULL = 0.98;
/** A plan that is overloaded is judged as if it had been for so long. */
const OVERLOAD_MS = 60_000;
const Z95 = 1.6448536;

/**
 * Cost, latency and throughput of the allocations of one topology by formula: the service equations of the simulator, with each pool and
 * Temporal as a queue by itself and the cores as shared. What it leaves out (cold starts, bursts, the queues' effect on each other) the
 * simulator has; it is for ranking many plans, at some millionths of a second each.
 */
export class AnalyticModel {
  private readonly batch: Batch;
  private readonly full: Batch;
  private readonly service: Float64Array;
  private readonly wait: Float64Array;
  private readonly load: Float64Array;
  private readonly instances: Float64Array;
  private readonly cost: Float64Array;
  private readonly finish: Float64Array;
  private readonly variance: Float64Array;
  /** Stages on the longest way to the end of each, and milliseconds that one more record in the batch adds to it. */
  private readonly hops: Float64Array;
  private readonly slope: Float64Array;
  private readonly result = new Float64Array(RESULTS);
  private capacity = 0;

  constructor(
    private readonly plan: PlanModel,
    private readonly traffic: AnalyticLoad,
    private readonly prices: Prices = PUBLISHED_PRICES,
  ) {
    const { ratePerSecond } = traffic;
    if (!(ratePerSecond > 0) || !Number.isFinite(ratePerSecond))
      throw new PlanError('BAD_LOAD', `the rate must be a finite number above 0, found ${ratePerSecond}.`);
    const perMs = ratePerSecond / 1000;
    const records = plan.batchRecords > 1 ? 1 + cappedPoisson(plan.batchRecords - 1, perMs * plan.lingerMs) : 1;
    // Closed by the linger, a batch holds the first record and those that a Poisson stream brings until then.
    const variance = records < 0.9 * plan.batchRecords ? records - 1 : 0;
    this.batch = batchOf(plan, Math.min(plan.batchRecords, records), variance);
    this.full = batchOf(plan, plan.batchRecords, 0);
    const zeros = (): Float64Array => new Float64Array(plan.stages.length);
    this.service = zeros();
    this.wait = zeros();
    this.load = zeros();
    this.instances = zeros();
    this.cost = zeros();
    this.finish = zeros();
    this.variance = zeros();
    this.hops = zeros();
    this.slope = zeros();
  }

  predict(allocation: Allocation): AnalyticPrediction {
    const own = (name: string): Allocation[string] => {
      const stage = Object.hasOwn(allocation, name) ? allocation[name] : undefined;
      if (stage === undefined) throw new PlanError('BAD_ALLOCATION', `the allocation does not name stage '${name}'.`);
      return stage;
    };
    const { stages } = this.plan;
    const memory = stages.map(({ name }) => own(name).memoryMb);
    const tight = stages.findIndex((stage, s) => !this.fits(stage, memory[s]!));
    const result = this.evaluate(
      memory,
      stages.map(({ name }) => own(name).concurrency),
    );
    if (result === undefined)
      throw new PlanError(
        'MEMORY_TOO_SMALL',
        `the working set of ${stages[tight]!.name} does not fit ${memory[tight]} MB. Give it more memory or smaller batches.`,
      );
    const executionsPerSecond = this.traffic.ratePerSecond / this.batch.records;
    return {
      throughput: result[THROUGHPUT]!,
      capacity: this.capacity,
      latencyMs: { mean: result[MEAN]!, p95: result[P95]! },
      costPer1000: { all: result[COST]!, withoutActions: result[COST_WITHOUT_ACTIONS]! },
      cpu: result[CPU]!,
      recordsPerBatch: this.batch.records,
      stages: stages.map(({ name }, s) => ({
        name,
        recordsPerInvocation: this.batch.perInvocation[s]!,
        invocationsPerSecond: executionsPerSecond * this.batch.invocations[s]!,
        serviceMs: this.service[s]!,
        ioMs: ioMs(stages[s]!, this.batch.perInvocation[s]!),
        waitMs: this.wait[s]!,
        load: this.load[s]!,
        concurrency: this.instances[s]!,
        utilisation: Math.min(1, this.load[s]! / this.instances[s]!),
        costPer1000: this.cost[s]!,
      })),
    };
  }

  /** Instances per stage in the last `evaluate`, by index; valid until the next. */
  get concurrency(): ArrayLike<number> {
    return this.instances;
  }

  /**
   * By the constants above, valid until the next call; undefined when a working set does not fit. `concurrency` left out: as many instances
   * as the load needs, ⌈1.2ρ + 1.5√ρ⌉.
   */
  evaluate(memoryMb: ArrayLike<number>, concurrency?: ArrayLike<number>): Float64Array | undefined {
    const { batch, full, result } = this;
    const { host, stages } = this.plan;
    const perMs = this.traffic.ratePerSecond / 1000;
    const executions = perMs / batch.records;
    const { temporal } = host;
    const passing = executions * batch.passingMs;

    // The cores: demand, and what sharing them makes of a millisecond of CPU.
    let demand = temporal.onHost ? passing : 0;
    let fullDemand = temporal.onHost ? full.passingMs : 0;
    for (let s = 0; s < stages.length; s++) {
      const stage = stages[s]!;
      if (!this.fits(stage, memoryMb[s]!)) return undefined;
      demand += executions * batch.invocations[s]! * pressed(this.plan, stage, batch.perInvocation[s]!, memoryMb[s]!);
      fullDemand += full.invocations[s]! * pressed(this.plan, stage, full.perInvocation[s]!, memoryMb[s]!);
    }
    const cpu = demand / host.cores;
    const stretch = 1 + queueing(host.cores, Math.min(FULL, cpu));

    // Temporal.
    const hopMs = batch.hopMs * (temporal.onHost ? stretch : 1);
    const passed = Math.min(FULL, (passing * (temporal.onHost ? stretch : 1)) / temporal.servers);
    const hopWait = (hopMs * queueing(temporal.servers, passed)) / 2;

    // Pools, and the longest way through them.
    let capacity = Math.min(capacityOf(host.cores, full, fullDemand), capacityOf(temporal.servers, full, full.passingMs));
    let withoutActions = 0;
    let last = 0;
    let shortest = 0;
    for (let s = 0; s < stages.length; s++) {
      const stage = stages[s]!;
      const memory = memoryMb[s]!;
      const n = batch.perInvocation[s]!;
      const share = cpuShare(host, memory);
      const work = pressed(this.plan, stage, n, memory) / share;
      const service = ioMs(stage, n) + work * stretch;
      const load = executions * batch.invocations[s]! * service;
      const instances = concurrency?.[s] ?? Math.max(1, Math.ceil(1.2 * load + 1.5 * Math.sqrt(load)));
      const utilisation = Math.min(FULL, load / instances);
      const cv2 = batch.cv2[s]!;
      const wait = service * queueing(instances, utilisation) * ((batch.arrivalCv2 + cv2) / 2);
      const rounds = Math.max(0, batch.parts[s]! / instances - 1) + Math.sqrt(cv2 * 2 * Math.log(batch.parts[s]!));
      const again = batch.retries[s]! * (stage.backoffMs + ioMs(stage, 1) + cpuMs(stage, 1) / share + hopMs);
      const took = hopWait + hopMs + ((batch.parts[s]! - 1) * hopMs) / 2 + temporal.latencyMs + wait + service * (1 + rounds) + again;
      // A record is the likelier in a batch the larger that is: it sees the mean and its share of the variance.
      const more = (stage.ioPerRecordMs + (cpuPerOwnRecordMs(stage) / share) * stretch) * (stage.reaching / batch.parts[s]!);
      let before = -1;
      for (const i of stage.after) if (before < 0 || this.finish[i]! > this.finish[before]!) before = i;
      this.finish[s] = (this.finish[before] ?? 0) + took + (more * batch.recordsVariance) / batch.records;
      this.variance[s] = (this.variance[before] ?? 0) + cv2 * service ** 2 + waitVariance(wait, utilisation) + again * stage.backoffMs;
      this.hops[s] = (this.hops[before] ?? 0) + 1;
      this.slope[s] = (this.slope[before] ?? 0) + more;
      if (this.finish[s]! > this.finish[last]!) last = s;
      // Billed milliseconds are rounded up.
      const billedMbMs = batch.invocations[s]! * (service + 0.5) * memory;
      const cost = (usageCost({ invocations: batch.invocations[s]!, billedMbMs }, this.prices) / batch.records) * 1000;
      withoutActions += cost;
      const fullService = ioMs(stage, full.perInvocation[s]!) + pressed(this.plan, stage, full.perInvocation[s]!, memory) / share;
      if (concurrency !== undefined) capacity = Math.min(capacity, capacityOf(instances, full, full.invocations[s]! * fullService));
      shortest += fullService;
      this.service[s] = service;
      this.wait[s] = wait;
      this.load[s] = load;
      this.instances[s] = instances;
      this.cost[s] = cost;
    }
    if (this.traffic.openExecutions !== undefined)
      capacity = Math.min(capacity, capacityOf(this.traffic.openExecutions, full, full.passingMs + shortest));

    const rate = this.traffic.ratePerSecond;
    const overload = Math.max(0, rate / capacity - 1) * (OVERLOAD_MS / 2);
    const filling = fillingOf(this.plan, batch.records, perMs);
    const mean =
      filling.mean + batch.endsMs * (temporal.onHost ? stretch : 1) + 2 * (hopWait + temporal.latencyMs) + this.finish[last]! + overload;
    // What makes one hop wait makes the next ones of the same execution wait too: their waits add up like one.
    const variance =
      filling.variance +
      this.variance[last]! +
      (this.hops[last]! + 2) ** 2 * waitVariance(hopWait, passed) +
      this.slope[last]! ** 2 * batch.recordsVariance +
      overload ** 2 / 3;
    result[COST] = withoutActions + batch.actionsPer1000 * this.prices.temporalAction.usd;
    result[COST_WITHOUT_ACTIONS] = withoutActions;
    result[P95] = lognormalQuantile(mean, variance, Z95);
    result[THROUGHPUT] = Math.min(rate, capacity);
    result[MEAN] = mean;
    result[CPU] = cpu;
    this.capacity = capacity;
    return result;
  }

  private fits(stage: PlannedStage, memoryMb: number): boolean {
    return fits(workingSetMb(stage, Math.ceil(this.plan.batchRecords / stage.partitions)), memoryMb);
  }
}

/** What one batch of so many records is for the stages, on average. */
interface Batch {
  readonly records: number;
  readonly recordsVariance: number;
  readonly parts: Float64Array;
  /** Per batch, retries included. */
  readonly invocations: Float64Array;
  readonly perInvocation: Float64Array;
  readonly retries: Float64Array;
  readonly cv2: Float64Array;
  /** Squared coefficient of variation of the time between batches: filled by count they come more evenly than records do. */
  readonly arrivalCv2: number;
  readonly passingMs: number;
  /** Of it, start and settling. */
  readonly endsMs: number;
  /** Of one activity. */
  readonly hopMs: number;
  readonly actionsPer1000: number;
}

function batchOf({ stages, host, batchBytes, batchRecords }: PlanModel, records: number, recordsVariance: number): Batch {
  const of = (value: (stage: PlannedStage, s: number) => number): Float64Array => Float64Array.from(stages, value);
  const entered = of(({ reaching }) => 1 - (1 - Math.min(1, reaching)) ** records);
  const live = of(({ reaching }, s) => (records * reaching) / Math.max(1e-9, entered[s]!));
  const parts = of(({ partitions, bytesIn }, s) => Math.min(Math.max(1, live[s]!), Math.max(partitions, (records * bytesIn) / batchBytes)));
  const perInvocation = of((_, s) => live[s]! / parts[s]!);
  const retries = of(({ retry, maximumAttempts }, s) => (maximumAttempts > 1 ? 1 - (1 - retry) ** perInvocation[s]! : 0));
  const invocations = of((_, s) => entered[s]! * parts[s]! * (1 + retries[s]!));
  const activities = invocations.reduce((sum, count) => sum + count, 0);
  const timers = parts.reduce((sum, count, s) => sum + entered[s]! * count * retries[s]!, 0);
  const { activityMs, startMs, settleMs, recordMs } = host.temporal;
  const endsMs = startMs + settleMs + recordMs * records;
  return {
    records,
    recordsVariance,
    parts,
    invocations,
    perInvocation,
    retries,
    cv2: of((stage, s) => noiseCv(stage, perInvocation[s]!) ** 2),
    arrivalCv2: records >= 0.9 * batchRecords ? 1 / records : 1,
    passingMs: activities * activityMs + endsMs,
    endsMs,
    hopMs: activityMs,
    actionsPer1000: (temporalActions({ activityAttempts: activities, timers, localActivityTasks: 1 }) / records) * 1000,
  };
}

/** CPU of one invocation on a whole core, with the pressure of its memory. */
function pressed({ host }: PlanModel, stage: PlannedStage, records: number, memoryMb: number): number {
  return cpuMs(stage, records) * memoryPressure(host, workingSetMb(stage, records), memoryMb);
}

/** Records per second when so many servers work without a pause, each batch keeping them for `busyMs` together. */
function capacityOf(servers: number, { records }: Batch, busyMs: number): number {
  return busyMs > 0 ? (servers * records * 1000) / busyMs : Number.POSITIVE_INFINITY;
}

/** How long a record waits for its batch. The first waits for the last, or for the linger. */
function fillingOf(
  { batchRecords, lingerMs }: PlanModel,
  records: number,
  perMs: number,
): { readonly mean: number; readonly variance: number } {
  if (batchRecords === 1) return { mean: 0, variance: 0 };
  const longest = Math.min(lingerMs, (batchRecords - 1) / perMs);
  const byCount = longest < lingerMs;
  return { mean: byCount ? longest / 2 : (longest * (1 + records)) / (2 * records), variance: longest ** 2 / 12 };
}
