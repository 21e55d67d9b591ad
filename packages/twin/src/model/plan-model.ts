import type { NodeSpec, PipelineSpec } from '@autoflow/pipeline';
import type { Topology } from '@autoflow/topology';
import type { FunctionModels } from './function-model.js';
import type { HostModel } from './host-model.js';
import { PlanError } from './plan-error.js';
import { stageModel, type StageModel } from './stage-model.js';

/** What a topology is predicted from; without an allocation, because many are asked about one topology. */
export interface PlanInput {
  readonly spec: PipelineSpec;
  readonly topology: Topology;
  readonly models: FunctionModels;
  readonly host: HostModel;
  /** Of an input record. */
  readonly recordBytes: number;
}

/** A topology by index, with the equations of its stages. Simulator and analytic formula read the same one. */
export interface PlanModel {
  readonly stages: readonly PlannedStage[];
  readonly host: HostModel;
  /** Most records of a batch, by its records and its bytes. */
  readonly batchRecords: number;
  readonly batchBytes: number;
  readonly lingerMs: number;
  readonly recordBytes: number;
}
export interface PlannedStage extends StageModel {
  readonly name: string;
  readonly partitions: number;
  /** Stages before it, direct and all, and directly after it: indexes. Stages come in topological order. */
  readonly after: readonly number[];
  readonly ancestors: readonly number[];
  readonly followers: readonly number[];
  /** Place of its first function in the pipeline as written: noise that hangs on it is the same in every topology. */
  readonly key: number;
  /** Expected records that reach it, for each of the batch. */
  readonly reaching: number;
  /** Invocations of it for a batch, on average, where these are known: whatever its records would make of them. */
  readonly perBatch?: number;
}

/** The stages in an order in which each comes after those it waits for. Throws a `PlanError` for a topology that cannot be walked. */
export function planModel({ spec, topology, models, host, recordBytes }: PlanInput): PlanModel {
  if (!Number.isFinite(recordBytes) || recordBytes < 0)
    throw new PlanError('BAD_LOAD', `the bytes of a record must be a finite number of at least 0, found ${recordBytes}.`);
  checkHost(host);
  const nodes = new Map(spec.nodes.map((node, key) => [node.id, { node, key }]));
  const order = inTopologicalOrder(topology);
  const at = new Map(order.map(({ name }, i) => [name, i]));
  const stages: PlannedStage[] = [];
  const bytesAdded: number[] = [];
  for (const { name, nodes: ids, after: names, partitions } of order) {
    const after = [...new Set(names)].map((before) => at.get(before) as number);
    const ancestors = [...new Set(after.flatMap((i) => [i, ...(stages[i] as PlannedStage).ancestors]))];
    const own = ids.map((id) => found(nodes.get(id), id));
    const bytesIn = ancestors.reduce((bytes, i) => bytes + (bytesAdded[i] as number), recordBytes);
    const model = stageModel(own.map(nodeOf), models, host, bytesIn);
    bytesAdded.push(model.bytesOut - bytesIn);
    stages.push({
      ...model,
      name,
      partitions,
      after,
      ancestors,
      followers: order.flatMap((stage, i) => (stage.after.includes(name) ? [i] : [])),
      key: own[0]?.key ?? 0,
      reaching: ancestors.reduce((share, i) => share * goingOn(stages[i] as PlannedStage), 1),
    });
  }
  const { records, bytes } = topology.batch;
  const byBytes = recordBytes > 0 ? Math.max(1, Math.floor(bytes / recordBytes)) : records;
  return { stages, host, batchRecords: Math.min(records, byBytes), batchBytes: bytes, lingerMs: topology.lingerMs, recordBytes };
}

/** Every number of it but these two, which may be without end. */
function checkHost({ idleMs, temporal: { servers, ...temporal }, invocation, ...host }: HostModel): void {
  const numbers = Object.entries({ ...host, ...invocation, ...temporal }).filter(
    (entry): entry is [string, number] => typeof entry[1] === 'number',
  );
  const bad =
    numbers.find(([, value]) => !Number.isFinite(value) || value < 0) ??
    Object.entries({ idleMs, servers }).find(([, value]) => !(value >= 0));
  if (bad === undefined) return;
  throw new PlanError(
    'BAD_MODEL',
    `'${bad[0]}' of the host must be a number of at least 0, found ${bad[1]}. Fit it from other measurements.`,
  );
}

/** Share of what enters a stage that leaves it alive. */
export function goingOn({ selectivity, dead }: Pick<StageModel, 'selectivity' | 'dead'>): number {
  return (1 - dead) * selectivity;
}

const nodeOf = ({ node }: { readonly node: NodeSpec }): NodeSpec => node;

function found<T>(value: T | undefined, id: string): T {
  if (value === undefined)
    throw new PlanError('BAD_TOPOLOGY', `the pipeline has no call '${id}'. Validate the topology before predicting.`);
  return value;
}

function inTopologicalOrder({ stages }: Topology): Topology['stages'] {
  const sorted: Topology['stages'][number][] = [];
  const done = new Set<string>();
  while (sorted.length < stages.length) {
    const ready = stages.filter(({ name, after }) => !done.has(name) && after.every((before) => done.has(before)));
    if (ready.length === 0)
      throw new PlanError(
        'BAD_TOPOLOGY',
        'stages wait for each other, or for one that is not there, or have one name. Validate the topology before predicting.',
      );
    for (const stage of ready) {
      sorted.push(stage);
      done.add(stage.name);
    }
  }
  return sorted;
}
