import type { NodeSpec } from '@autoflow/pipeline';
import { modelOf, type FunctionModel, type FunctionModels } from './function-model.js';
import type { HostModel } from './host-model.js';
import { PlanError } from './plan-error.js';

/**
 * The functions of one stage as one: fused, they pay the invocation and its serialisation once, and each its own fixed and per-record
 * parts. Everything is per record that enters the stage; the memory includes the instance.
 */
export interface StageModel {
  readonly cpuFixedMs: number;
  readonly cpuPerRecordMs: number;
  /** Of it, reading the record. */
  readonly readPerRecordMs: number;
  readonly ioFixedMs: number;
  readonly ioPerRecordMs: number;
  readonly memoryMb: number;
  readonly memoryPerRecordMb: number;
  readonly selectivity: number;
  readonly dead: number;
  readonly retry: number;
  readonly maximumAttempts: number;
  readonly backoffMs: number;
  readonly backoffCoefficient: number;
  readonly maximumBackoffMs: number;
  /** Bytes of a record as it comes and as it goes. */
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Variance of the time of an invocation, in ms²: `fixed + n·linear + n²·quadratic`. */
  readonly variance: { readonly fixed: number; readonly linear: number; readonly quadratic: number };
}

/** `bytesIn` of a record that enters the stage. Throws a `PlanError` for a function without a model, or with one that makes no sense. */
export function stageModel(nodes: readonly NodeSpec[], models: FunctionModels, host: HostModel, bytesIn: number): StageModel {
  const sum = { cpuFixed: host.invocation.cpuMs, cpu: 0, ioFixed: host.invocation.ioMs, io: 0, memory: host.instanceMb, memoryRecord: 0 };
  const variance = { fixed: 0, linear: 0, quadratic: 0 };
  let reaching = 1;
  let bytesOut = bytesIn;
  let dead = 0;
  let retry = 0;
  for (const node of nodes) {
    const model = soundModel(node, models);
    sum.cpuFixed += model.cpuFixedMs;
    sum.cpu += reaching * model.cpuPerRecordMs;
    sum.ioFixed += model.ioFixedMs;
    sum.io += reaching * model.ioPerRecordMs;
    sum.memory += model.memoryMb;
    sum.memoryRecord += model.memoryPerRecordMb;
    addVariance(variance, model, reaching);
    bytesOut += model.bytes;
    retry += reaching * model.retry;
    dead += reaching * model.dead;
    reaching *= (1 - model.dead) * model.selectivity;
  }
  const kb = (bytesIn + bytesOut * reaching) / 1024;
  return {
    cpuFixedMs: sum.cpuFixed,
    cpuPerRecordMs: sum.cpu + host.serialisationMsPerKb * kb,
    readPerRecordMs: (host.serialisationMsPerKb * bytesIn) / 1024,
    ioFixedMs: sum.ioFixed,
    ioPerRecordMs: sum.io,
    memoryMb: sum.memory,
    memoryPerRecordMb: sum.memoryRecord,
    selectivity: dead < 1 ? reaching / (1 - dead) : 0,
    dead,
    retry: Math.min(1, retry),
    ...retryOf(nodes),
    bytesIn,
    bytesOut,
    variance,
  };
}

/** One factor for all records of an invocation of a function, and one for each record; functions independently of each other. */
function addVariance(variance: { fixed: number; linear: number; quadratic: number }, model: FunctionModel, reaching: number): void {
  const fixed = model.cpuFixedMs + model.ioFixedMs;
  const each = reaching * (model.cpuPerRecordMs + model.ioPerRecordMs);
  variance.fixed += model.cv ** 2 * fixed ** 2;
  variance.linear += model.cv ** 2 * 2 * fixed * each + model.cvPerRecord ** 2 * each ** 2;
  variance.quadratic += model.cv ** 2 * each ** 2;
}

/** As `stagePlans` of the topology has it: dispatches for every attempt that one of them may ask for, backoff of the one with the fewest. */
function retryOf(
  nodes: readonly NodeSpec[],
): Pick<StageModel, 'maximumAttempts' | 'backoffMs' | 'backoffCoefficient' | 'maximumBackoffMs'> {
  const retries = nodes.map(({ retry }) => retry);
  const fewest = retries.reduce((a, b) => (b.maximumAttempts < a.maximumAttempts ? b : a));
  const writes = nodes.some(({ effect }) => effect === 'write');
  return {
    maximumAttempts: writes ? 1 : retries.reduce((attempts, { maximumAttempts }) => attempts + maximumAttempts - 1, 1),
    backoffMs: fewest.initialIntervalMs,
    backoffCoefficient: fewest.backoffCoefficient,
    maximumBackoffMs: fewest.maximumIntervalMs,
  };
}

function soundModel(node: NodeSpec, models: FunctionModels): FunctionModel {
  const model = modelOf(models, node);
  if (model === undefined)
    throw new PlanError(
      'NO_MODEL',
      `there is no model of '${node.id}'. Run it first, so that it is measured (autoflow calibrate), or give it one.`,
    );
  for (const [name, value] of Object.entries(model) as [keyof FunctionModel, number][])
    if (!Number.isFinite(value) || value < 0 || (SHARES.has(name) && value > 1))
      throw new PlanError(
        'BAD_MODEL',
        `${name} of '${node.id}' must be a finite number of at least 0${SHARES.has(name) ? ' and at most 1' : ''}, found ${value}.`,
      );
  return model;
}

const SHARES: ReadonlySet<keyof FunctionModel> = new Set(['selectivity', 'dead', 'retry']);

/** A part of a batch reads and holds the whole of it before it takes its own records (see `runInvocation` of the function host). */
interface Parted extends StageModel {
  readonly partitions?: number;
}

/** CPU of an invocation with n records where memory is plenty. */
export function cpuMs(stage: Parted, records: number): number {
  return stage.cpuFixedMs + records * cpuPerOwnRecordMs(stage);
}
/** With its share of what the part reads beside its own. */
export function cpuPerOwnRecordMs({ cpuPerRecordMs, readPerRecordMs, partitions = 1 }: Parted): number {
  return cpuPerRecordMs + (partitions - 1) * readPerRecordMs;
}
export function ioMs(stage: StageModel, records: number): number {
  return stage.ioFixedMs + records * stage.ioPerRecordMs;
}
export function workingSetMb({ memoryMb, memoryPerRecordMb, partitions = 1 }: Parted, records: number): number {
  return memoryMb + partitions * records * memoryPerRecordMb;
}

/** Coefficient of variation of the time of an invocation with n records. */
export function noiseCv(stage: Parted, records: number): number {
  const mean = cpuMs(stage, records) + ioMs(stage, records);
  const { fixed, linear, quadratic } = stage.variance;
  return mean > 0 ? Math.sqrt(fixed + records * linear + records ** 2 * quadratic) / mean : 0;
}
