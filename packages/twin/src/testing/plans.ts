import type { NodeSpec, PipelineSpec } from '@autoflow/pipeline';
import type { Allocation, Topology } from '@autoflow/topology';
import type { FunctionModel, FunctionModels } from '../model/function-model.js';
import { functionModel } from '../model/function-model.js';
import { LOCAL_HOST, type HostModel } from '../model/host-model.js';
import { planModel, type PlanModel } from '../model/plan-model.js';

/** A host that costs nothing by itself: no Temporal, no cold starts, no pressure; cores without end. */
export const IDEAL_HOST: HostModel = {
  ...LOCAL_HOST,
  cores: 1e9,
  invocation: { cpuMs: 0, ioMs: 0 },
  serialisationMsPerKb: 0,
  instanceMb: 0,
  pressure: 0,
  coldStartMs: 0,
  idleMs: Number.POSITIVE_INFINITY,
  temporal: { servers: Number.POSITIVE_INFINITY, activityMs: 0, startMs: 0, settleMs: 0, recordMs: 0, latencyMs: 0, onHost: false },
};

export interface GivenStage {
  readonly functions: readonly string[];
  readonly after?: readonly string[];
  readonly partitions?: number;
}

/** A pipeline of these functions in these stages; names of stages are the first function's. */
export function planOf(given: {
  readonly models: { readonly [name: string]: Partial<FunctionModel> };
  /** Default: one stage per function, one after the other. */
  readonly stages?: readonly GivenStage[];
  readonly host?: HostModel;
  readonly batch?: number;
  readonly lingerMs?: number;
  readonly recordBytes?: number;
  readonly node?: Partial<NodeSpec>;
}): PlanModel {
  const names = Object.keys(given.models);
  const stages = given.stages ?? names.map((name, i) => ({ functions: [name], after: names.slice(Math.max(0, i - 1), i) }));
  return planModel({
    spec: chainSpec(names, given.node),
    topology: topologyOf(stages, given.batch ?? 1, given.lingerMs ?? 0),
    models: Object.fromEntries(names.map((name) => [name, functionModel(given.models[name])])) satisfies FunctionModels,
    host: given.host ?? IDEAL_HOST,
    recordBytes: given.recordBytes ?? 0,
  });
}

export function topologyOf(stages: readonly GivenStage[], records: number, lingerMs: number): Topology {
  return {
    stages: stages.map(({ functions, after = [], partitions = 1 }) => ({
      name: functions[0] ?? '',
      nodes: functions,
      after,
      partitions,
    })),
    batch: { records, bytes: 8 * 1024 * 1024 },
    lingerMs,
  };
}

/** Pure functions, each on the record of the one before. */
export function chainSpec(names: readonly string[], given: Partial<NodeSpec> = {}): PipelineSpec {
  const nodes = names.map((id, i): NodeSpec => ({
    id,
    name: id,
    kind: 'function',
    effect: 'pure',
    inputs: names.slice(Math.max(0, i - 1), i),
    scope: [],
    reads: [],
    writes: [],
    uses: [],
    batched: false,
    timeoutMs: 1000,
    retry: { maximumAttempts: 3, initialIntervalMs: 100, backoffCoefficient: 2, maximumIntervalMs: 10_000 },
    ...given,
  }));
  return { name: 'chain', key: 'key', input: ['key'], output: ['key'], nodes, resources: [], schemas: { input: {}, output: {} } };
}

export function allocationOf(plan: PlanModel, concurrency: number, memoryMb = 1024): Allocation {
  return Object.fromEntries(plan.stages.map(({ name }) => [name, { memoryMb, concurrency }]));
}
