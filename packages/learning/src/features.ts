import type { Allocation } from '@autoflow/topology';
import {
  AnalyticModel,
  noiseCv,
  workingSetMb,
  type AnalyticLoad,
  type AnalyticStage,
  type PlanModel,
  type PlannedStage,
} from '@autoflow/twin';
import { FeatureError } from './feature-error.js';

/** What the plans of one pipeline are scored under. */
export interface ScoredLoad extends AnalyticLoad {
  /** 95th percentile of latency that is promised. */
  readonly sloMs: number;
}

/** One plan in numbers, all of them finite: S stages, D dependencies between them. */
export interface PlanFeatures {
  readonly stages: number;
  readonly nodes: Float32Array; // [S, NODE_FEATURES]
  readonly dependencies: readonly Dependency[]; // D
  readonly global: Float32Array; // [GLOBAL_FEATURES]
  /** log of cost, p95 in ms and throughput in records per second by formula: what the heads of the scorer correct. */
  readonly analytic: Float32Array; // [3]
}
export interface Dependency {
  /** Stages by index, in topological order: `from` is before `to`. */
  readonly from: number;
  readonly to: number;
  readonly features: readonly number[]; // [EDGE_FEATURES]
}

export const NODE_FEATURES = 18;
export const EDGE_FEATURES = 2;
export const GLOBAL_FEATURES = 9;

/** `planFeatures` of one plan. */
export function planFeatures(plan: PlanModel, allocation: Allocation, load: ScoredLoad): PlanFeatures {
  return new Featurizer(plan, load).of(allocation);
}

/**
 * Features of a topology under its allocations: what its stages cost, what passes between them, and what the formula says of the whole.
 * Throws a `PlanError` for an allocation that the formula cannot judge, a `FeatureError` for a number that is not finite.
 */
export class Featurizer {
  private readonly model: AnalyticModel;
  private readonly dependencies: readonly Dependency[];

  constructor(
    private readonly plan: PlanModel,
    private readonly load: ScoredLoad,
  ) {
    if (!(load.sloMs > 0) || !Number.isFinite(load.sloMs))
      throw new FeatureError(`The promised latency must be a finite number of ms above 0, found ${load.sloMs}.`);
    this.model = new AnalyticModel(plan, load);
    this.dependencies = plan.stages.flatMap((stage, to) => stage.after.map((from) => dependency(plan.stages, from, to)));
  }

  of(allocation: Allocation): PlanFeatures {
    const { plan, load } = this;
    const predicted = this.model.predict(allocation);
    const { costPer1000, latencyMs, throughput } = predicted;
    const nodes = plan.stages.flatMap((stage, s) => {
      const own = predicted.stages[s] as AnalyticStage;
      return nodeFeatures(stage, own, (allocation[stage.name] as Allocation[string]).memoryMb, load.sloMs, costPer1000.withoutActions);
    });
    const global = [
      log(plan.batchRecords),
      log(plan.lingerMs),
      log(load.ratePerSecond),
      log(load.sloMs),
      log(plan.host.cores),
      predicted.cpu,
      Math.log(costPer1000.all),
      Math.log(latencyMs.p95 / load.sloMs),
      Math.log(throughput / load.ratePerSecond),
    ];
    const features: PlanFeatures = {
      stages: plan.stages.length,
      nodes: Float32Array.from(nodes),
      dependencies: this.dependencies,
      global: Float32Array.from(global),
      analytic: Float32Array.of(Math.log(costPer1000.all), Math.log(latencyMs.p95), Math.log(throughput)),
    };
    refuseNotFinite(features, plan);
    return features;
  }
}

function nodeFeatures(stage: PlannedStage, own: AnalyticStage, memoryMb: number, sloMs: number, cost: number): number[] {
  const workingSet = workingSetMb(stage, own.recordsPerInvocation);
  return [
    log(stage.cpuPerRecordMs),
    log(stage.cpuFixedMs),
    log(stage.ioPerRecordMs),
    log(stage.ioFixedMs),
    log(workingSet),
    log(memoryMb),
    workingSet / memoryMb,
    stage.selectivity,
    noiseCv(stage, own.recordsPerInvocation),
    stage.reaching,
    log(stage.partitions),
    log(own.serviceMs),
    log(own.load),
    log(own.concurrency),
    own.utilisation,
    cost > 0 ? own.costPer1000 / cost : 0,
    own.serviceMs > 0 ? own.ioMs / own.serviceMs : 0,
    log((own.serviceMs + own.waitMs) / sloMs),
  ];
}

/** What passes: KB of a record, and whether the later stage joins several. */
function dependency(stages: readonly PlannedStage[], from: number, to: number): Dependency {
  const [before, after] = [stages[from] as PlannedStage, stages[to] as PlannedStage];
  return { from, to, features: [log(before.bytesOut / 1024), after.after.length > 1 ? 1 : 0] };
}

/** log(1 + x): 0 is common, and means little. */
const log = Math.log1p;

function refuseNotFinite({ nodes, dependencies, global, analytic }: PlanFeatures, { stages }: PlanModel): void {
  const refuse = (value: number, of: string): void => {
    if (!Number.isFinite(value))
      throw new FeatureError(`A feature of ${of} is ${value}. Predict the plan first: its models or its allocation make no sense.`);
  };
  nodes.forEach((value, i) => refuse(value, `stage '${(stages[Math.floor(i / NODE_FEATURES)] as PlannedStage).name}'`));
  for (const { to, features } of dependencies)
    features.forEach((value) => refuse(value, `what enters stage '${(stages[to] as PlannedStage).name}'`));
  [...global, ...analytic].forEach((value) => refuse(value, 'the plan as a whole'));
}

/** Plans side by side, padded to the one with the most stages, N; B plans. Padding is 0 everywhere, the mask included. */
export interface FeatureBatch {
  readonly plans: number;
  readonly size: number;
  readonly nodes: Float32Array; // [B, N, NODE_FEATURES]
  readonly mask: Float32Array; // [B, N, 1]
  /** Â: row i is the mean over what is directly before, or after, stage i. */
  readonly incoming: Float32Array; // [B, N, N]
  readonly outgoing: Float32Array; // [B, N, N]
  /** The features of those dependencies by the same means. */
  readonly incomingEdges: Float32Array; // [B, N, EDGE_FEATURES]
  readonly outgoingEdges: Float32Array; // [B, N, EDGE_FEATURES]
  readonly global: Float32Array; // [B, GLOBAL_FEATURES]
  readonly analytic: Float32Array; // [B, 3]
}

export function featureBatch(plans: readonly PlanFeatures[]): FeatureBatch {
  const B = plans.length;
  const N = plans.reduce((most, { stages }) => Math.max(most, stages), 0);
  const batch: FeatureBatch = {
    plans: B,
    size: N,
    nodes: new Float32Array(B * N * NODE_FEATURES),
    mask: new Float32Array(B * N),
    incoming: new Float32Array(B * N * N),
    outgoing: new Float32Array(B * N * N),
    incomingEdges: new Float32Array(B * N * EDGE_FEATURES),
    outgoingEdges: new Float32Array(B * N * EDGE_FEATURES),
    global: new Float32Array(B * GLOBAL_FEATURES),
    analytic: new Float32Array(B * 3),
  };
  plans.forEach((plan, b) => {
    batch.nodes.set(plan.nodes, b * N * NODE_FEATURES);
    batch.mask.fill(1, b * N, b * N + plan.stages);
    batch.global.set(plan.global, b * GLOBAL_FEATURES);
    batch.analytic.set(plan.analytic, b * 3);
    const before = new Float64Array(plan.stages);
    const after = new Float64Array(plan.stages);
    for (const { from, to } of plan.dependencies) {
      before[to]! += 1;
      after[from]! += 1;
    }
    for (const { from, to, features } of plan.dependencies) {
      spread(batch.incoming, batch.incomingEdges, b * N + to, from, 1 / before[to]!, features);
      spread(batch.outgoing, batch.outgoingEdges, b * N + from, to, 1 / after[from]!, features);
    }
  });
  return batch;

  function spread(means: Float32Array, edges: Float32Array, row: number, other: number, weight: number, features: readonly number[]): void {
    means[row * N + other] = weight;
    features.forEach((value, f) => (edges[row * EDGE_FEATURES + f]! += weight * value));
  }
}
