import type { NodeSpec } from '@autoflow/pipeline';
import { functionModel, type FunctionModel } from '../model/function-model.js';
import { cpuShare, LOCAL_HOST, type HostModel } from '../model/host-model.js';
import { planModel, type PlanModel, type PlannedStage } from '../model/plan-model.js';

/** A stage by what an invocation of it takes, whatever is in it. */
export interface ServedStage {
  readonly name: string;
  /** Stages before it, by index; these come first. */
  readonly after: readonly number[];
  /** Of an invocation on an instance with a whole core, on average, and its coefficient of variation. */
  readonly serviceMs: number;
  readonly cv: number;
  /** Of it, what is computed: where any stage computes, an instance of less memory has less of a core. Default: nothing. */
  readonly cpuMs?: number;
  /** What an invocation holds, in MB. Default: nothing. */
  readonly workingSetMb?: number;
  /** Invocations of it for a batch, on average: more than one where it has partitions, less where batches pass it by. Default: one. */
  readonly perBatch?: number;
}

/** A pipeline as its controller sees it: each batch takes every stage for so long, as often as it is invoked, and waits for an instance of it. */
export function controlledPlan(stages: readonly ServedStage[], coldStartMs: number): PlanModel {
  const perBatch = new Map(stages.map((stage) => [stage.name, stage.perBatch]));
  const plan = planModel({
    spec: {
      name: 'controlled',
      key: 'key',
      input: ['key'],
      output: ['key'],
      nodes: stages.map((stage) => nodeOf(stage, stages)),
      resources: [],
      schemas: { input: {}, output: {} },
    },
    topology: {
      stages: stages.map(({ name, after }) => ({ name, nodes: [name], after: after.map((i) => stages[i]!.name), partitions: 1 })),
      batch: { records: 1, bytes: 8 * 1024 * 1024 },
      lingerMs: 0,
    },
    models: Object.fromEntries(stages.map((stage) => [stage.name, modelOfServed(stage)])),
    host: { ...HOST, coldStartMs, cpuFollowsMemory: stages.some(({ cpuMs = 0 }) => cpuMs > 0) },
    recordBytes: 0,
  });
  return { ...plan, stages: plan.stages.map((stage) => withInvocations(stage, perBatch.get(stage.name))) };
}

/** Of a plan by `controlledPlan`: mean time of an invocation of stage `s` on an instance of so much memory, in milliseconds, io + cpu / σ(memory). */
export function serviceMsAt({ stages, host }: PlanModel, s: number, memoryMb: number): number {
  const { ioFixedMs, cpuFixedMs } = stages[s]!;
  return ioFixedMs + cpuFixedMs / cpuShare(host, memoryMb);
}

const modelOfServed = ({ serviceMs, cpuMs = 0, workingSetMb = 0, cv }: ServedStage): FunctionModel =>
  functionModel({ cpuFixedMs: cpuMs, ioFixedMs: serviceMs - cpuMs, memoryMb: workingSetMb, cv });

function withInvocations(stage: PlannedStage, perBatch: number | undefined): PlannedStage {
  return perBatch === undefined ? stage : { ...stage, perBatch };
}

/** Cores and Temporal are no bottleneck: what is wanting is instances. */
const HOST: HostModel = {
  ...LOCAL_HOST,
  cores: 1e9,
  invocation: { cpuMs: 0, ioMs: 0 },
  serialisationMsPerKb: 0,
  instanceMb: 0,
  pressure: 0,
  idleMs: Number.POSITIVE_INFINITY,
  provisioning: 'ahead',
  temporal: { servers: 1, activityMs: 2, startMs: 0, settleMs: 0, recordMs: 0, latencyMs: 10, onHost: false },
};

function nodeOf({ name, after }: ServedStage, stages: readonly ServedStage[]): NodeSpec {
  return {
    id: name,
    name,
    kind: 'function',
    effect: 'pure',
    inputs: after.map((before) => stages[before]!.name),
    scope: [],
    reads: [],
    writes: [],
    uses: [],
    batched: false,
    timeoutMs: 60_000,
    retry: { maximumAttempts: 1, initialIntervalMs: 100, backoffCoefficient: 2, maximumIntervalMs: 10_000 },
  };
}
